import assert from "node:assert/strict";
import type { Datagrams } from "../../net/mod.ts";
import { PodDatagrams } from "./pod_datagrams.ts";

/** A flow to a pod that answers nothing, until it is closed. */
function silent() {
  const sent: number[] = [];
  const closed = Promise.withResolvers<void>();
  const flow: Datagrams = {
    send: (bytes) => sent.push(bytes[0]!) > 0,
    receive: () => closed.promise.then(() => null),
    close: () => closed.resolve(),
  };
  return { flow, sent };
}

Deno.test("PodDatagrams keeps what comes before it is open, and no more than some of it", async () => {
  const { flow, sent } = silent();
  const opening = Promise.withResolvers<Datagrams>();
  const datagrams = new PodDatagrams(opening.promise, () => {});
  for (let i = 0; i < 200; i++) datagrams.send(new Uint8Array([i]));
  opening.resolve(flow);
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(sent, Array.from({ length: 64 }, (_, i) => i));
  datagrams.send(new Uint8Array([250]));
  assert.equal(sent.at(-1), 250);
  datagrams.close();
  await datagrams.ended;
});

Deno.test("PodDatagrams that is closed before it is open closes what comes, and sends nothing", async () => {
  const { flow, sent } = silent();
  const opening = Promise.withResolvers<Datagrams>();
  const datagrams = new PodDatagrams(opening.promise, () => {});
  datagrams.send(new Uint8Array([1]));
  datagrams.close();
  opening.resolve(flow);
  await datagrams.ended;
  assert.equal(await flow.receive(new Uint8Array(1)), null);
  assert.deepEqual(sent, []);
});

Deno.test("PodDatagrams has ended when it cannot be opened", async () => {
  const datagrams = new PodDatagrams(Promise.reject(new Error("no")), () => {});
  datagrams.send(new Uint8Array([1]));
  await datagrams.ended;
});
