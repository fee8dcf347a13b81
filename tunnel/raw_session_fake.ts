/** A raw peer at the other end of a session of this room, on as many carriers as it likes. */
import assert from "node:assert/strict";
import { connPair } from "../net/conn_fake.ts";
import type { Conn } from "../net/mod.ts";
import type { LiveSession } from "./live_session.ts";
import {
  Acceptor,
  dialSession,
  type DialSessionOptions,
  type Incoming,
  type Session,
} from "./mod.ts";
import { ascii, bytes, frame, RawPeer, u32, u64, u8 } from "./raw_peer_fake.ts";
import { identity, textOf, until } from "./session_fake.ts";

/** Of SPEC.md, section 1. */
export const frameTypes = {
  ...{ resume: 3, open: 4, accept: 5, refuse: 6, data: 7, datagram: 8 },
  ...{ credit: 9, end: 10, reset: 11, ping: 12, pong: 13, goaway: 14 },
  ...{ moved: 15, join: 16 },
} as const;

/** A raw dialer on its first carrier, and how to come on another one. */
export async function rawDialer(capabilities?: string[]) {
  const arrivals: Incoming[] = [];
  let session: Session | undefined;
  const acceptor = new Acceptor({
    product: "tp/test",
    onSession(one) {
      session = one;
      return (incoming) => void arrivals.push(incoming);
    },
  });
  const taken: Promise<unknown>[] = [];
  const conns: Conn[] = [];
  const carrier = () => {
    const [near, far] = connPair();
    conns.push(near);
    taken.push(acceptor.take(far).catch((error) => error));
    return new RawPeer(near);
  };
  const first = carrier();
  const { key } = await first.greetAsDialer({ capabilities });
  await until(() => session !== undefined);
  return {
    first,
    key,
    carrier,
    arrivals,
    taken,
    session: session!,
    async [Symbol.asyncDispose]() {
      for (const one of conns) one.reset();
      await acceptor.close();
      await Promise.all(taken);
    },
  };
}

/** A raw acceptor on the first carrier of a dialer, and how to let that come on another one. */
export async function rawAcceptor(
  options: Partial<DialSessionOptions> = {},
  capabilities?: string[],
) {
  const raws: RawPeer[] = [];
  const arrivals: Incoming[] = [];
  const dialling = dialSession({
    product: "tp/test",
    identity,
    serve: (incoming) => void arrivals.push(incoming),
    limits: { longWayMs: 0 },
    ...options,
    dial() {
      const [near, far] = connPair();
      raws.push(new RawPeer(far));
      return Promise.resolve(near);
    },
  });
  await until(() => raws.length === 1);
  await raws[0]!.greetAsAcceptor(1, 1, capabilities);
  const session = await dialling as LiveSession;
  return {
    raws,
    arrivals,
    session,
    /** One more carrier, that the dialer opens for bulk and that has been used. */
    async carrier(): Promise<RawPeer> {
      const place = raws.length;
      session.keeper!.onBulk(3);
      await until(() => raws.length > place);
      const raw = raws[place]!;
      await raw.greetAsAcceptor(1, 1, capabilities);
      await until(() => session.carriers.size > place);
      return raw;
    },
    async [Symbol.asyncDispose]() {
      for (const raw of raws) void drain(raw);
      session.close();
      for (const { conn } of raws) conn.close();
      await session.ended;
    },
  };
}

async function drain(raw: RawPeer): Promise<void> {
  while (await raw.next().catch(() => null) !== null);
}

/** The next frame but PING is this one. Returns its body. */
export async function nextIs(
  raw: RawPeer,
  type: number,
  stream: number,
  body?: Uint8Array,
) {
  const got = await raw.next();
  assert.ok(got !== null, "the carrier ended");
  assert.deepEqual({ type: got.type, stream: got.stream }, { type, stream });
  if (body !== undefined) assert.deepEqual(got.body, body);
  return got.body;
}

/** Nothing is on its way from the peer, and all that was sent to it was read. */
export async function isQuiet(raw: RawPeer): Promise<void> {
  const token = bytes(u64(77));
  await raw.send(frame(frameTypes.ping, 0, token));
  await nextIs(raw, frameTypes.pong, 0, token);
}

export const opened = (id: number, target = "t") =>
  frame(frameTypes.open, id, bytes(u8(0), u64(100), ascii(target)));
export const resumed = (id: number, receivedTo: number) =>
  frame(frameTypes.resume, id, bytes(u64(receivedTo), u64(100)));
export const dataAt = (id: number, offset: number, text: string) =>
  frame(frameTypes.data, id, bytes(u64(offset), ascii(text)));
export const isMoved = (carrier: number, phase: number) =>
  frame(frameTypes.moved, 0, bytes(u32(carrier), u8(phase)));

/** Reads what is there; null at the end. */
export async function read(
  conn: Pick<Conn, "read">,
): Promise<string | null> {
  const buffer = new Uint8Array(100);
  const count = await conn.read(buffer);
  return count === null ? null : textOf(buffer.subarray(0, count));
}

/** Each would break the stream, or the session, if it were not late. */
export const lateFrames: [string, Uint8Array][] = [
  ["DATA", dataAt(1, 0, "late")],
  ["CREDIT", frame(frameTypes.credit, 1, bytes(u64(1000), u64(0)))],
  ["END", frame(frameTypes.end, 1, bytes(u64(0), u64(0)))],
  ["RESET", frame(frameTypes.reset, 1, bytes(u8(1)))],
  ["RESET closed", frame(frameTypes.reset, 1, bytes(u8(3)))],
];
