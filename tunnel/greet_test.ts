import assert from "node:assert/strict";
import { ConnResetError, writeAll } from "../net/mod.ts";
import { FakeClock } from "../net/clock_fake.ts";
import { connPair } from "../net/conn_fake.ts";
import {
  createIdentity,
  IncompatibleError,
  ProtocolError,
  protocolVersions,
} from "./mod.ts";
import { ascii, bytes, frame, RawPeer, u16, u8 } from "./raw_peer_fake.ts";
import {
  acceptSession,
  dialOver,
  identity,
  openPair,
  until,
} from "./session_fake.ts";

Deno.test("the acceptor knows the dialer's thumbprint, both know product and version", async () => {
  await using pair = await openPair();
  assert.equal(pair.acceptor.peer.thumbprint, identity.thumbprint);
  assert.match(identity.thumbprint, /^[0-9a-f]{64}$/);
  assert.equal(pair.dialer.peer.thumbprint, undefined);
  for (const { peer } of [pair.dialer, pair.acceptor]) {
    assert.equal(peer.product, "tp/test");
    assert.equal(peer.protocol, protocolVersions.max);
  }
});

Deno.test("two identities have two thumbprints", async () => {
  assert.notEqual((await createIdentity()).thumbprint, identity.thumbprint);
});

Deno.test("the nonce of WELCOME is fresh for every carrier", async () => {
  const nonces = new Set<string>();
  for (let i = 0; i < 2; i++) {
    const [near, far] = connPair();
    const accepting = acceptSession(far, { product: "tp/test" });
    const raw = new RawPeer(near);
    const { welcome } = await raw.greetAsDialer();
    const session = await accepting;
    nonces.add(welcome.subarray(16, 48).toHex());
    session.close();
    near.close();
    await session.ended;
  }
  assert.equal(nonces.size, 2);
});

Deno.test("acceptSession() rejects a HELLO whose signature does not fit", async () => {
  const [near, far] = connPair();
  const accepting = assert.rejects(acceptSession(far, { product: "tp/test" }), {
    name: "ProtocolError",
    breach: "bad-signature",
  });
  const raw = new RawPeer(near);
  await raw.greetAsDialer({ spoilSignature: true });
  const answer = await raw.next();
  assert.equal(answer?.type, 14, "GOAWAY");
  assert.equal(answer.body[0], 4, "unauthenticated");
  await accepting;
});

Deno.test("acceptSession() rejects a HELLO that signs another carrier's nonce", async () => {
  const [near, far] = connPair();
  const [otherNear, otherFar] = connPair();
  const accepting = assert.rejects(
    acceptSession(far, { product: "tp/test" }),
    { breach: "bad-signature" },
  );
  const dialing = dialOver(otherFar, { product: "tp/test", identity });
  const hello = await new RawPeer(otherNear).greetAsAcceptor();
  const raw = new RawPeer(near);
  await raw.next();
  await raw.send(frame(2, 0, hello));
  await accepting;
  otherNear.reset();
  await (await dialing).ended;
});

Deno.test("dialSession() tells both ranges when the versions do not meet", async () => {
  const [near, far] = connPair();
  const dialing = assert.rejects(
    dialOver(far, { product: "tp/test", identity }),
    (error) => {
      assert.ok(error instanceof IncompatibleError);
      assert.deepEqual(error.ours, protocolVersions);
      assert.deepEqual(error.theirs, { min: 7, max: 9 });
      assert.equal(error.peerProduct, "raw");
      assert.match(error.message, /raw.*versions 7 to 9.*version 1/);
      return true;
    },
  );
  const hello = await new RawPeer(near).greetAsAcceptor(7, 9);
  assert.deepEqual(hello.slice(0, 8), bytes("74702f73", u16(1), u16(1)));
  await dialing;
});

Deno.test("acceptSession() tells both ranges, whatever else the newer HELLO holds", async () => {
  const [near, far] = connPair();
  const accepting = assert.rejects(acceptSession(far, { product: "tp/test" }), {
    name: "IncompatibleError",
    theirs: { min: 2, max: 3 },
    peerProduct: "tp/9",
  });
  const raw = new RawPeer(near);
  await raw.greetAsDialer({
    change: () =>
      bytes(
        "74702f73",
        u16(2),
        u16(3),
        u8(4),
        ascii("tp/9"),
        new Uint8Array(60),
      ),
  });
  const answer = await raw.next();
  assert.equal(answer?.type, 14, "GOAWAY");
  assert.equal(answer.body[0], 3, "incompatible");
  await accepting;
});

Deno.test("capabilities of the peer are known, later additions skipped", async () => {
  const [near, far] = connPair();
  const dialing = dialOver(far, { product: "tp/test", identity });
  await new RawPeer(near).greetAsAcceptor();
  const session = await dialing;
  assert.deepEqual([...session.peer.capabilities], ["a", "bc", "alone"]);
  assert.equal(session.peer.streams, 100);
  near.reset();
  await session.ended;
});

Deno.test("a stranger on the carrier is told from a tunnel", async () => {
  for (const words of ["HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-x\r\n"]) {
    const [near, far] = connPair();
    const dialing = assert.rejects(
      dialOver(far, { product: "tp/test", identity }),
      (error) => {
        assert.ok(error instanceof ProtocolError);
        assert.equal(error.breach, "bad-greeting");
        return true;
      },
    );
    await writeAll(near, ascii(words));
    await dialing;
  }
});

Deno.test("a silent peer is given up after the time of the greeting", async () => {
  const clock = new FakeClock();
  const [, far] = connPair();
  const dialing = assert.rejects(
    dialOver(far, { product: "tp/test", identity, clock }),
    { name: "ConnResetError", message: /no answer within 10000 ms/ },
  );
  await new Promise((resolve) => setTimeout(resolve));
  clock.advance(10_000);
  await dialing;
});

Deno.test("a carrier that ends during the greeting rejects both ends", async () => {
  const [near, far] = connPair();
  const accepting = acceptSession(far, { product: "tp/test" });
  await near.closeWrite();
  await assert.rejects(accepting, ConnResetError);
  await assert.rejects(far.write(new Uint8Array(1)), ConnResetError);
});

Deno.test("what follows HELLO in the same write is not lost", async () => {
  const [near, far] = connPair();
  const targets: number[] = [];
  const accepting = acceptSession(far, {
    product: "tp/test",
    serve: (incoming) => void targets.push(incoming.target.length),
  });
  const raw = new RawPeer(near);
  const send = raw.send.bind(raw);
  raw.send = (hello) =>
    send(hello!, frame(4, 1, bytes(u8(0), new Uint8Array(8), ascii("abc"))));
  await raw.greetAsDialer();
  const session = await accepting;
  await until(() => targets.length === 1);
  assert.deepEqual(targets, [3]);
  near.reset();
  await session.ended;
});
