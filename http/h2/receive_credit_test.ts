import assert from "node:assert/strict";
import { SlowDestination } from "../destination_fake.ts";
import { h2Preface } from "../sniff.ts";
import { errorCodes } from "./error.ts";
import { encodeFrame, frameType, readUint32, uint32 } from "./frame.ts";
import { get } from "./malformed_corpus.ts";
import { RawPeer, serveRaw, settings } from "./raw_peer_fake.ts";

const data = (id: number, octets: number, flags = 0) =>
  encodeFrame(frameType.data, flags, id, new Uint8Array(octets));
const open = (peer: RawPeer) => peer.headers(1, get(), 4);

/** What the connection has been credited until all that was sent is known to have been read. */
async function connectionCredit(peer: RawPeer): Promise<number> {
  await peer.send(encodeFrame(frameType.ping, 0, 0, new Uint8Array(8)));
  let credit = 0;
  for (;;) {
    const frame = await peer.next();
    assert.ok(frame !== undefined, "the connection ended");
    if (frame.type === frameType.ping) return credit;
    if (frame.type !== frameType.windowUpdate || frame.streamId !== 0) continue;
    credit += readUint32(frame.payload, 0);
  }
}

Deno.test("HTTP/2: what a stream sends is credited as it goes on, and no sooner", async () => {
  const { peer, app, over } = serveRaw();
  await peer.send(
    h2Preface,
    settings,
    open(peer),
    ...Array.from({ length: 16 }, () => data(1, 16_384)),
  );
  const upstream = new RawPeer((await app.accept()).conn);
  await upstream.skip(h2Preface.length);
  await upstream.send(settings);
  const received = async (octets: number) => {
    for (let got = 0; got < octets;) {
      got += (await upstream.next(frameType.data))!.payload.length;
    }
  };
  await received(65_535);
  await upstream.send(
    encodeFrame(frameType.windowUpdate, 0, 0, uint32(1 << 20)),
    encodeFrame(frameType.windowUpdate, 0, 1, uint32(100_000)),
  );
  await received(100_000);
  let credit = 0;
  while (credit < 120_000) {
    const update = await peer.next(frameType.windowUpdate);
    if (update!.streamId === 1) credit += readUint32(update!.payload, 0);
  }
  assert.ok(credit <= 165_535, `${credit} octets were credited`);
  peer.end();
  await over;
  upstream.end();
});

Deno.test("HTTP/2: a client that does not read stops only its destination's stream", async () => {
  const { peer, app, over } = serveRaw();
  await peer.send(h2Preface, settings, peer.headers(1, get()));
  const upstream = new RawPeer((await app.accept()).conn);
  await upstream.skip(h2Preface.length);
  await upstream.next(frameType.headers);
  await upstream.send(
    settings,
    upstream.headers(1, [[":status", "200"]], 4),
    ...Array.from({ length: 16 }, () => data(1, 16_384)),
    encodeFrame(frameType.ping, 0, 0, new Uint8Array(8)),
  );
  let credit = 0;
  for (;;) {
    const update = await upstream.next(frameType.windowUpdate);
    if (update!.streamId === 1) credit += readUint32(update!.payload, 0);
    // The client's windows let 65 535 octets pass.
    if (credit >= 32_768) break;
  }
  await upstream.send(encodeFrame(frameType.ping, 0, 0, new Uint8Array(8)));
  await upstream.next(frameType.ping);
  assert.ok(credit <= 65_535, `${credit} octets were credited`);
  await upstream.send(...Array.from({ length: 5 }, () => data(1, 16_384)));
  const reset = await upstream.next(frameType.resetStream);
  assert.equal(readUint32(reset!.payload, 0), errorCodes["flow-control"]);
  peer.end();
  await over;
  upstream.end();
});

Deno.test("HTTP/2: requests that came whole and were reset before anybody took them do not use up the connection's window", async () => {
  const slow = new SlowDestination();
  const { peer, over } = serveRaw({ route: () => slow });
  await peer.send(h2Preface, settings);
  let sent = 0;
  let credit = await connectionCredit(peer);
  for (let round = 0; round < 40; round++) {
    const id = 2 * round + 1;
    await peer.send(
      peer.headers(id, get(), 4),
      ...Array.from({ length: 12 }, (_, at) => data(id, 16_000, +(at === 11))),
      encodeFrame(frameType.resetStream, 0, id, uint32(8)),
    );
    sent += 12 * 16_000;
    credit += await connectionCredit(peer);
    assert.ok(sent - credit < 65_535 + 262_144, `${sent - credit} are owed`);
  }
  peer.end();
  await over;
});

Deno.test("HTTP/2: octets that are a stream's fault are credited to the connection", async () => {
  const slow = new SlowDestination();
  const { peer, over } = serveRaw({ route: () => slow });
  await peer.send(h2Preface, settings);
  for (let at = 0; at < 80; at++) {
    const id = 2 * at + 1;
    await peer.send(peer.headers(id, get()), data(id, 16_000));
  }
  const credit = await connectionCredit(peer);
  assert.ok(80 * 16_000 - credit < 262_144 + 16_000, `${credit} credited`);
  peer.end();
  await over;
});
