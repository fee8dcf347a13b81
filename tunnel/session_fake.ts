/** Two ends of a session in memory, for tests. */
import type { Conn } from "../net/mod.ts";
import { connPair } from "../net/conn_fake.ts";
import {
  Acceptor,
  createIdentity,
  dialSession,
  type DialSessionOptions,
  type Identity,
  type Incoming,
  type Limits,
  type Session,
  type SessionOptions,
} from "./mod.ts";

export const identity: Identity = await createIdentity();

export interface PairOptions {
  /** What the acceptor does with the dialer's streams. */
  serve?: (incoming: Incoming) => void;
  /** What the dialer does with the acceptor's streams. */
  serveDialer?: (incoming: Incoming) => void;
  limits?: Partial<Limits>;
  clock?: SessionOptions["clock"];
  carriers?: [Conn, Conn];
}

export interface Pair extends AsyncDisposable {
  dialer: Session;
  acceptor: Session;
}

/** A session over one pair of flows in memory, without grace. Closed at the end of the scope. */
export async function openPair(options: PairOptions = {}): Promise<Pair> {
  const { clock, limits, serve, serveDialer } = options;
  const [near, far] = options.carriers ?? connPair();
  const common = {
    product: "tp/test",
    ...(clock && { clock }),
    limits: { graceMs: 0, longWayMs: 0, ...limits },
  };
  const [dialed, accepted] = await Promise.allSettled([
    dialSession({
      ...common,
      identity,
      dial: () => Promise.resolve(near),
      ...(serveDialer && { serve: serveDialer }),
    }),
    acceptSession(far, { ...common, ...(serve && { serve }) }),
  ]);
  if (dialed.status === "rejected" || accepted.status === "rejected") {
    for (const one of [dialed, accepted]) {
      if (one.status === "fulfilled") await one.value.ended;
    }
    throw dialed.status === "rejected"
      ? dialed.reason
      : (accepted as PromiseRejectedResult).reason;
  }
  const [dialer, acceptor] = [dialed.value, accepted.value];
  return {
    dialer,
    acceptor,
    async [Symbol.asyncDispose]() {
      dialer.close();
      await Promise.all([dialer.ended, acceptor.ended]);
    },
  };
}

/** The session that the dialer on the other side of `carrier` begins. */
export async function acceptSession(
  carrier: Conn,
  options: SessionOptions & { serve?: (incoming: Incoming) => void },
): Promise<Session> {
  const { serve, ...others } = options;
  const session = Promise.withResolvers<Session>();
  const acceptor = new Acceptor({
    ...others,
    limits: { graceMs: 0, longWayMs: 0, ...options.limits },
    onSession(one) {
      session.resolve(one);
      return serve ??
        ((incoming) => incoming.refuse("unknown-target", "a test"));
    },
  });
  acceptor.take(carrier).catch((error) => session.reject(error));
  return await session.promise;
}

/** {@link dialSession} over one carrier, without grace. */
export function dialOver(
  carrier: Conn,
  options: Omit<DialSessionOptions, "dial">,
): Promise<Session> {
  return dialSession({
    ...options,
    limits: { graceMs: 0, longWayMs: 0, ...options.limits },
    dial: () => Promise.resolve(carrier),
  });
}

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Reads to the end. */
export async function readAll(conn: Conn, stepBytes = 64 * 1024) {
  const buffer = new Uint8Array(stepBytes);
  const parts: Uint8Array[] = [];
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) break;
    parts.push(buffer.slice(0, count));
  }
  return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
}

/** Resolves as soon as `isTrue` holds; looks again after each turn of the event loop. Rejects after 5 s. */
export async function until(isTrue: () => boolean): Promise<void> {
  const giveUp = performance.now() + 5000;
  while (!isTrue()) {
    if (performance.now() > giveUp) throw new Error("It never came true");
    await new Promise((resolve) => setTimeout(resolve));
  }
}

/** Bytes that tell their own place: the same for the same `seed`. */
export function pattern(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = i * 31 + (i >> 8) * seed + seed;
  return bytes;
}

/** Serves every stream by sending back what comes. */
export function echo(incoming: Incoming): void {
  const conn = incoming.accept();
  void (async () => {
    const buffer = new Uint8Array(16 * 1024);
    try {
      for (;;) {
        const count = await conn.read(buffer);
        if (count === null) break;
        for (let at = 0; at < count;) {
          at += await conn.write(buffer.subarray(at, count));
        }
      }
      await conn.closeWrite();
    } catch {
      conn.reset();
    }
  })();
}
