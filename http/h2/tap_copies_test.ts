import assert from "node:assert/strict";
import { FakeDestination, SlowDestination } from "../destination_fake.ts";
import type { Destination } from "../destination.ts";
import { h2Preface } from "../sniff.ts";
import { encodeFrame, frameType } from "./frame.ts";
import { get } from "./malformed_corpus.ts";
import { RawPeer, serveRaw, settings } from "./raw_peer_fake.ts";
import { maxCopies, maxCopyOctets } from "./tap_copies.ts";

async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/** A client whose requests go to an app, and to `tap`. */
async function tapped(tap: Destination) {
  const app = new FakeDestination();
  const lost: string[] = [];
  const served = serveRaw({
    route: () => ({ destination: app, taps: [tap] }),
    onTapLost: (_, error) => lost.push(error.message),
  });
  await served.peer.send(h2Preface, settings);
  return { ...served, app, lost };
}

async function peerOf(destination: FakeDestination): Promise<RawPeer> {
  const peer = new RawPeer((await destination.accept()).conn);
  await peer.skip(h2Preface.length);
  await peer.send(settings);
  return peer;
}

Deno.test("HTTP/2: a tap that is being opened when the client leaves gets what came whole, if it comes soon", async () => {
  const slow = new SlowDestination();
  const { peer, over, lost } = await tapped(slow);
  await peer.send(peer.headers(1, get()));
  await slow.asked;
  peer.end();
  await turns();
  const tap = new RawPeer(slow.arrive().conn);
  await tap.skip(h2Preface.length);
  assert.equal((await tap.next(frameType.headers))!.streamId, 1);
  await tap.send(settings, tap.headers(1, [[":status", "204"]]));
  await over;
  assert.equal(await tap.next(frameType.headers), undefined);
  assert.deepEqual(lost, []);
});

Deno.test("HTTP/2: a tap that is still being opened 5 s after the client has left is called off, and reset if it comes", async () => {
  const slow = new SlowDestination();
  const { peer, over, clock, lost } = await tapped(slow);
  await peer.send(peer.headers(1, get()));
  const signal = await slow.asked;
  peer.end();
  await turns();
  clock.advance(4_999);
  await turns();
  assert.ok(!signal.aborted);
  clock.advance(1);
  await over;
  assert.ok(signal.aborted);
  assert.ok((await slow.arrive().all()).isBroken);
  assert.equal(lost.length, 1);
});

Deno.test("HTTP/2: a tap that does not answer loses further copies", async () => {
  const tap = new FakeDestination();
  const { peer, app, over, clock, lost } = await tapped(tap);
  const asked: Promise<unknown>[] = [];
  const tapPeer = peerOf(tap).then((it) => asked.push(it.next()));
  await peer.send(peer.headers(1, get()));
  const appPeer = await peerOf(app);
  await tapPeer;
  for (let at = 0; at < maxCopies + 10; at++) {
    const id = 2 * at + 1;
    if (at > 0) await peer.send(peer.headers(id, get()));
    await appPeer.next(frameType.headers);
    await appPeer.send(appPeer.headers(id, [[":status", "204"]]));
    await peer.next(frameType.headers);
  }
  assert.equal(lost.length, 10);
  assert.match(lost[0]!, /keep up/);
  peer.end();
  await turns();
  clock.advance(5_000);
  await over;
});

Deno.test("HTTP/2: a tap that does not read is behind by so much at most with all requests together", async () => {
  const tap = new FakeDestination();
  const { peer, over, clock, lost } = await tapped(tap);
  const open = 60_000;
  const fits = Math.floor(maxCopyOctets / open);
  for (let at = 0; at < fits + 3; at++) {
    const id = 2 * at + 1;
    await peer.send(
      peer.headers(id, get(), 4),
      ...Array.from(
        { length: 4 },
        () => encodeFrame(frameType.data, 0, id, new Uint8Array(open / 4)),
      ),
    );
  }
  await turns();
  assert.ok(lost.length >= 2 && lost.length <= 4, `${lost.length} were lost`);
  assert.match(lost[0]!, /keep up/);
  peer.end();
  await turns();
  clock.advance(5_000);
  await over;
});

Deno.test("HTTP/2: a tap whose way has ended does not wait for a copy of its own", async () => {
  const [app, tap] = [new FakeDestination(), new FakeDestination()];
  tap.currentWay = "one";
  let taps = [tap];
  const { peer, over } = serveRaw({
    route: () => ({ destination: app, taps }),
  });
  await peer.send(h2Preface, settings, peer.headers(1, get()));
  const tapPeer = await peerOf(tap);
  await tapPeer.send(tapPeer.headers(1, [[":status", "204"]]));
  await turns();
  [taps, tap.currentWay] = [[], undefined];
  await peer.send(peer.headers(3, get()));
  await tapPeer.next(frameType.goAway);
  assert.equal(await tapPeer.next(), undefined);
  peer.end();
  await over;
});
