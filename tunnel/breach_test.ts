/** Each breach of SPEC.md section 9 that needs a session: told to the peer, and the end of the session. */
import assert from "node:assert/strict";
import { FakeClock } from "../net/clock_fake.ts";
import { connPair } from "../net/conn_fake.ts";
import type { Incoming } from "./mod.ts";
import { ascii, bytes, frame, RawPeer, u32, u64, u8 } from "./raw_peer_fake.ts";
import { acceptSession, dialOver, identity, until } from "./session_fake.ts";

const [open, accept, refuse, data, datagram] = [4, 5, 6, 7, 8];
const [credit, end, goaway] = [9, 10, 14];

const opened = (id: number, flags = 0) =>
  frame(open!, id, bytes(u8(flags), u64(10), ascii("t")));

/** What the raw dialer sends after the greeting, against an acceptor that accepts all but the target "wait". */
const breaches: [name: string, frames: Uint8Array[], breach: string][] = [
  ["an even id from the dialer", [opened(2)], "bad-stream-id"],
  ["an id twice", [opened(1), opened(1)], "bad-stream-id"],
  ["DATA on an id never opened", [
    frame(data!, 1, bytes(u64(0), ascii("x"))),
  ], "unknown-stream"],
  ["CREDIT on an id that this end never opened", [
    frame(credit!, 2, bytes(u64(0), u64(0))),
  ], "unknown-stream"],
  ["ACCEPT of its own stream", [
    opened(1),
    frame(accept!, 1, bytes(u64(0))),
  ], "unexpected-frame"],
  ["REFUSE of its own stream", [
    opened(1),
    frame(refuse!, 1, bytes(u8(1))),
  ], "unexpected-frame"],
  ["DATA before the answer", [
    frame(open!, 1, bytes(u8(0), u64(10), ascii("wait"))),
    frame(data!, 1, bytes(u64(0), ascii("x"))),
  ], "unexpected-frame"],
  ["DATA after END", [
    opened(1),
    frame(end!, 1, bytes(u64(0), u64(0))),
    frame(data!, 1, bytes(u64(0), ascii("x"))),
  ], "unexpected-frame"],
  ["END twice", [
    opened(1),
    frame(end!, 1, bytes(u64(0), u64(0))),
    frame(end!, 1, bytes(u64(0), u64(0))),
  ], "unexpected-frame"],
  ["DATAGRAM on bytes", [
    opened(1),
    frame(datagram!, 1, ascii("x")),
  ], "unexpected-frame"],
  ["DATA on datagrams", [
    opened(1, 1),
    frame(data!, 1, bytes(u64(0), ascii("x"))),
  ], "unexpected-frame"],
  ["CREDIT on datagrams", [
    opened(1, 1),
    frame(credit!, 1, bytes(u64(0), u64(0))),
  ], "unexpected-frame"],
  ["DATA with a gap", [
    opened(1),
    frame(data!, 1, bytes(u64(1), ascii("x"))),
  ], "bad-offset"],
  ["DATA a second time", [
    opened(1),
    frame(data!, 1, bytes(u64(0), ascii("xy"))),
    frame(data!, 1, bytes(u64(1), ascii("y"))),
  ], "bad-offset"],
  ["END short of the bytes sent", [
    opened(1),
    frame(data!, 1, bytes(u64(0), ascii("xy"))),
    frame(end!, 1, bytes(u64(1), u64(0))),
  ], "bad-offset"],
  ["CREDIT for bytes that were not sent", [
    opened(1),
    frame(credit!, 1, bytes(u64(1), u64(100))),
  ], "bad-offset"],
  ["DATA above its credit", [
    opened(1),
    frame(data!, 1, bytes(u64(0), new Uint8Array(40_000))),
  ], "over-credit"],
];

for (const [name, frames, breach] of breaches) {
  Deno.test(`${name} ends the session: ${breach}`, async () => {
    const [near, far] = connPair();
    const raw = new RawPeer(near);
    const accepting = acceptSession(far, {
      product: "tp/test",
      limits: { windowBytes: 32 * 1024 },
      serve: (incoming) => {
        if (incoming.target.length === 4) return;
        if (incoming.datagrams) incoming.acceptDatagrams();
        else incoming.accept();
      },
    });
    await raw.greetAsDialer();
    const session = await accepting;
    await raw.send(...frames);
    let last = await raw.next();
    while (last !== null && last.type !== goaway) last = await raw.next();
    assert.ok(last !== null, "GOAWAY came");
    assert.equal(last.body[0], 2, "protocol-error");
    const detail = new TextDecoder().decode(last.body.subarray(1));
    assert.ok(detail.startsWith(`${breach}: `), detail);
    near.close();
    assert.deepEqual(await session.ended, { reason: "protocol-error", detail });
    assert.equal(session.stats().streams, 0);
    assert.equal(session.stats().promisedBytes, 0);
  });
}

Deno.test("a peer that opens without end and reads nothing is a flood", async () => {
  const [near, far] = connPair({ bufferBytes: 8 * 1024 });
  const raw = new RawPeer(near);
  const clock = new FakeClock();
  const accepting = acceptSession(far, {
    product: "tp/test",
    clock,
    limits: { streams: 10 },
    serve: (incoming) => void incoming.accept(),
  });
  await raw.greetAsDialer();
  const session = await accepting;
  let id = -1;
  const flooding = (async () => {
    for (;;) {
      await raw.send(...Array.from({ length: 50 }, () => opened(id += 2)));
      // The flood must not keep the event loop from its timers.
      await new Promise((resolve) => setTimeout(resolve));
    }
  })();
  flooding.catch(() => {});
  // Streams break off at once; the goodbye, which is not read, has its time.
  await assert.rejects(session.open(ascii("x")), { refusal: "gone" });
  clock.advance(1000);
  const { reason, detail } = await session.ended;
  assert.equal(reason, "protocol-error");
  assert.match(detail, /^flood: /);
  near.reset();
  await assert.rejects(flooding);
});

Deno.test("the dialer hears that it broke the protocol", async () => {
  const [near, far] = connPair();
  const raw = new RawPeer(near);
  const dialing = dialOver(far, { product: "tp/test", identity });
  await raw.greetAsAcceptor();
  const session = await dialing;
  await raw.send(frame(goaway!, 0, bytes(u8(2), ascii("bad-frame: it"))));
  near.close();
  assert.deepEqual(await session.ended, {
    reason: "peer-protocol-error",
    detail: "bad-frame: it",
  });
});

Deno.test("OPEN and RESET without end cost nothing that stays", async () => {
  const [near, far] = connPair();
  const raw = new RawPeer(near);
  const arrivals: Incoming[] = [];
  const accepting = acceptSession(far, {
    product: "tp/test",
    serve: (incoming) => void arrivals.push(incoming),
  });
  await raw.greetAsDialer();
  const session = await accepting;
  for (let id = 1; id < 2000; id += 2) {
    await raw.send(opened(id), frame(11, id, bytes(u8(2))));
  }
  await until(() => arrivals.length === 1000);
  await until(() => session.stats().streams === 0);
  assert.ok(arrivals.every((one) => one.signal.aborted));
  assert.equal(session.stats().promisedBytes, 0);
  near.reset();
  await session.ended;
});

Deno.test("a stream id far above all others is a breach", async () => {
  const [near, far] = connPair();
  const raw = new RawPeer(near);
  const accepting = acceptSession(far, { product: "tp/test" });
  await raw.greetAsDialer();
  const session = await accepting;
  await raw.send(
    bytes("04", "00000a", u32(0xffffffff), "00", u64(0), "74"),
  );
  assert.match((await session.ended).detail, /^bad-stream-id/);
});

Deno.test("ids of several carriers overtake each other", async () => {
  const [near, far] = connPair();
  const raw = new RawPeer(near);
  const arrivals: Incoming[] = [];
  const accepting = acceptSession(far, {
    product: "tp/test",
    serve: (incoming) => void arrivals.push(incoming),
  });
  await raw.greetAsDialer();
  const session = await accepting;
  await raw.send(opened(5), opened(1), opened(3));
  await until(() => arrivals.length === 3);
  near.reset();
  await session.ended;
});
