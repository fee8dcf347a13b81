/**
 * A session against a peer that sends arbitrary frames, on carriers that it opens as it likes. Whatever comes, the
 * session goes on or ends with a named reason, nothing is thrown elsewhere, and memory stays within its bound.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Conn, Datagrams } from "../net/mod.ts";
import { connPair } from "../net/conn_fake.ts";
import { Batch } from "./batch.ts";
import { minWindowBytes } from "./limits.ts";
import { Acceptor, type Incoming, type Session } from "./mod.ts";
import { RawPeer } from "./raw_peer_fake.ts";
import { rawAcceptor } from "./raw_session_fake.ts";
import { dialOver, identity, until } from "./session_fake.ts";

const budgetBytes = 256 * 1024;
const timeLimitMs = 4000;

interface Deed {
  kind: number;
  stream: number;
  a: number;
  b: number;
  size: number;
  /** On which carrier. */
  on: number;
}

const offset = fc.oneof(fc.nat(8), fc.nat(70_000), fc.constant(2 ** 53 - 1));
const deeds = fc.array(
  fc.record({
    kind: fc.nat(14),
    stream: fc.integer({ min: 1, max: 8 }),
    a: offset,
    b: offset,
    size: fc.oneof(fc.nat(10), fc.nat(3000)),
    on: fc.nat(2),
  }),
  { minLength: 1, maxLength: 40 },
);

/** Lives that once found something, or go where chance seldom leads. */
const corpus: Deed[][] = [
  // A stream is accepted, moved to a carrier, and told twice.
  [
    { kind: 0, stream: 1, a: 0, b: 100, size: 1, on: 0 },
    { kind: 12, stream: 1, a: 0, b: 0, size: 0, on: 1 },
    { kind: 11, stream: 1, a: 0, b: 100, size: 0, on: 1 },
    { kind: 11, stream: 1, a: 0, b: 100, size: 0, on: 1 },
  ],
  // MOVED of the carrier that it comes on; RESUME above all that was sent.
  [{ kind: 12, stream: 2, a: 0, b: 0, size: 0, on: 1 }],
  [
    { kind: 0, stream: 1, a: 0, b: 100, size: 1, on: 0 },
    { kind: 12, stream: 1, a: 0, b: 0, size: 0, on: 1 },
    { kind: 11, stream: 1, a: 70_000, b: 1, size: 0, on: 1 },
  ],
  // A stream is accepted, moves alone and comes back, with late frames everywhere.
  [
    { kind: 0, stream: 1, a: 0, b: 100, size: 1, on: 0 },
    { kind: 11, stream: 1, a: 0, b: 100, size: 0, on: 1 },
    { kind: 3, stream: 1, a: 70_000, b: 0, size: 10, on: 0 },
    { kind: 7, stream: 1, a: 2, b: 0, size: 0, on: 2 },
    { kind: 11, stream: 1, a: 0, b: 100, size: 0, on: 0 },
    { kind: 6, stream: 1, a: 0, b: 0, size: 0, on: 1 },
    { kind: 12, stream: 2, a: 0, b: 0, size: 0, on: 0 },
  ],
  // END acknowledged before it was sent.
  [
    { kind: 0, stream: 3, a: 2, b: 100, size: 1, on: 0 },
    { kind: 6, stream: 3, a: 0, b: 1, size: 0, on: 0 },
  ],
];

function encode(deed: Deed, batch: Batch): void {
  const { kind, stream, a, b, size } = deed;
  const bytes = new Uint8Array(size + 1);
  if (kind === 0) batch.open(stream, a % 4, b, bytes);
  if (kind === 1) batch.accept(stream, a);
  if (kind === 2) batch.refuse(stream, "refused", "why");
  if (kind === 3) batch.data(stream, a, bytes, 0, size + 1);
  if (kind === 4) batch.bytes.fill(0, batch.datagram(stream, size));
  if (kind === 5) batch.credit(stream, a, b);
  if (kind === 6) batch.end(stream, a, b);
  if (kind === 7) batch.reset(stream, 1 + a % 4, "why");
  if (kind === 8) batch.ping(0, a >>> 0);
  if (kind === 9) batch.pong(0, a >>> 0);
  if (kind === 10 && a === 0) batch.goaway(1 + b % 7, "why");
  if (kind === 11) batch.resume(stream, a, b);
  if (kind === 12) batch.moved(stream, 0);
  if (kind === 13) batch.moved(stream, 1);
  // What comes next is at the offset where the stream stands.
  if (kind === 14) batch.data(stream, 0, bytes, 0, size + 1);
}

/** Answers what the peer opens in different ways, and sends something itself. */
function serve(incoming: Incoming): void {
  const way = incoming.target.length % 4;
  if (way === 3) return;
  if (way === 2) return incoming.refuse("refused", "no");
  if (incoming.datagrams) return useDatagrams(incoming.acceptDatagrams());
  use(incoming.accept(), way === 0);
}

function use(conn: Conn, closes: boolean): void {
  void (async () => {
    try {
      await conn.write(new Uint8Array(100));
      if (closes) return conn.close();
      while (await conn.read(new Uint8Array(100)) !== null);
      await conn.closeWrite();
    } catch {
      conn.reset();
    }
  })();
}

function useDatagrams(flow: Datagrams): void {
  flow.send(new Uint8Array(10));
  void flow.receive(new Uint8Array(10));
}

function check(session: Session): void {
  const { promisedBytes, keptBytes, unreadBytes } = session.stats();
  const bound = budgetBytes + 20 * minWindowBytes;
  assert.ok(promisedBytes <= bound && keptBytes <= bound);
  assert.ok(unreadBytes <= promisedBytes);
}

async function drain(raw: RawPeer): Promise<void> {
  while (await raw.next().catch(() => null) !== null);
}

/** Sends what is done on each carrier, and lets it be worked on. */
async function send(raws: RawPeer[], deeds: Deed[]): Promise<void> {
  for (const deed of deeds) {
    const batch = new Batch(8192);
    encode(deed, batch);
    const raw = raws[deed.on % raws.length]!;
    await raw.send(batch.bytes.slice(0, batch.length)).catch(() => {});
  }
  await new Promise((resolve) => setTimeout(resolve));
}

const options = {
  numRuns: 300,
  interruptAfterTimeLimit: timeLimitMs,
  endOnFailure: true,
  examples: corpus.map((one) => [one] as [Deed[]]),
};

Deno.test("an acceptor stands whatever a dialer sends on its carriers", async () => {
  await fc.assert(
    fc.asyncProperty(deeds, async (deeds) => {
      const sessions: Session[] = [];
      const hub = new Acceptor({
        product: "tp/test",
        limits: { budgetBytes, keptBytes: budgetBytes, windowBytes: 20_000 },
        onSession(one) {
          sessions.push(one);
          return serve;
        },
      });
      const pairs = [1, 2, 3].map(() => connPair());
      const taken = pairs.map(([, far]) => hub.take(far).catch(() => {}));
      const raws = pairs.map(([near]) => new RawPeer(near));
      const { key } = await raws[0]!.greetAsDialer();
      await raws[1]!.joinAsDialer(key, 2);
      await raws[2]!.joinAsDialer(key, 3);
      const draining = raws.map(drain);
      await until(() => sessions.length === 1);
      const session = sessions[0]!;
      const opening = session.open(new Uint8Array(1)).then(
        (conn) => use(conn, false),
        () => {},
      );
      await send(raws, deeds);
      check(session);
      for (const [near] of pairs) near.reset();
      await hub.close();
      await session.ended;
      await Promise.all([...taken, ...draining, opening]);
      await until(() => session.stats().streams === 0);
      assert.equal(session.stats().keptBytes, 0);
      assert.equal(session.stats().promisedBytes, 0);
    }),
    options,
  );
});

Deno.test("a dialer stands whatever an acceptor sends on its carriers, while streams move", async () => {
  await fc.assert(
    fc.asyncProperty(deeds, async (deeds) => {
      await using it = await rawAcceptor({
        serve,
        limits: { budgetBytes, keptBytes: budgetBytes, windowBytes: 20_000 },
      });
      const { session, raws } = it;
      const opening = session.open(new Uint8Array(1)).then(
        (conn) => use(conn, true),
        () => {},
      );
      await it.carrier();
      const draining = raws.map(drain);
      for (let at = 0; at < deeds.length; at += 4) {
        await send(raws, deeds.slice(at, at + 4));
        const to = session.carriers.get(1 + at / 4 % 2);
        if (to !== undefined) session.change(deeds[at]!.stream, to);
        check(session);
      }
      session.close();
      for (const { conn } of raws) conn.reset();
      await session.ended;
      await Promise.all([...draining, opening]);
      await until(() => session.stats().streams === 0);
      assert.equal(session.stats().keptBytes, 0);
      assert.equal(session.stats().promisedBytes, 0);
    }),
    { numRuns: 100, endOnFailure: true, examples: options.examples },
  );
});

Deno.test("a dialer of one carrier stands whatever an acceptor sends", async () => {
  await fc.assert(
    fc.asyncProperty(deeds, async (deeds) => {
      const [near, far] = connPair();
      const dialing = dialOver(far, {
        product: "tp/test",
        identity,
        serve,
        limits: { budgetBytes, keptBytes: budgetBytes, windowBytes: 20_000 },
      });
      const raw = new RawPeer(near);
      await raw.greetAsAcceptor();
      const session = await dialing;
      const draining = drain(raw);
      const opening = session.open(new Uint8Array(1)).then(
        (conn) => use(conn, true),
        () => {},
      );
      await send([raw], deeds);
      check(session);
      near.reset();
      await session.ended;
      await Promise.all([draining, opening]);
      await until(() => session.stats().streams === 0);
      assert.equal(session.stats().keptBytes, 0);
      assert.equal(session.stats().promisedBytes, 0);
    }),
    options,
  );
});
