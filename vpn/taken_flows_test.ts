/** Flows of datagrams that services begin. */
import assert from "node:assert/strict";
import {
  type Endpoint,
  Ip,
  readUint16,
  type Refusal,
  RefusedError,
} from "../net/mod.ts";
import { viewOf } from "../net/packet/packet_fake.ts";
import {
  FakeDatagrams,
  laptop,
  service,
  turn,
  World,
} from "./datagram_flows_fake.ts";

const app = { ip: Ip.parse(laptop), port: 1000 };
const elsewhere = { ip: Ip.parse(service), port: 40_000 };

function refusedAs(error: unknown, refusal: Refusal): boolean {
  return error instanceof RefusedError && error.refusal === refusal;
}

Deno.test("a flow that a service begins reaches the app that has sent from there, and its answers go back by it", async () => {
  await using world = new World();
  world.send("a");
  await turn();
  const taken = new FakeDatagrams();
  world.flows.take({ app, service: elsewhere }, () => taken);
  taken.answer(new TextEncoder().encode("from elsewhere"));
  await turn();
  const [packet] = world.written;
  const { bytes, payload, sourceIp, destinationIp } = viewOf(packet!);
  assert.deepEqual([String(sourceIp), String(destinationIp)], [
    service,
    laptop,
  ]);
  assert.equal(readUint16(bytes, payload), elsewhere.port);
  assert.equal(readUint16(bytes, payload + 2), app.port);
  const text = new TextDecoder().decode(bytes.subarray(payload + 8));
  assert.equal(text, "from elsewhere");
  world.send("back", { port: elsewhere.port });
  await turn();
  assert.deepEqual(taken.sent, ["back"]);
  assert.equal(world.dialled.length, 1);
  world.clock.advance(120_000);
  world.flows.sweep();
  assert.ok(taken.isClosed);
});

Deno.test("a flow that a service begins is not taken twice, and not where the app goes already", async () => {
  await using world = new World();
  const take = (one: Endpoint) =>
    world.flows.take({ app, service: one }, () => new FakeDatagrams());
  world.send("a");
  await turn();
  take(elsewhere);
  const isSame = (error: unknown) => refusedAs(error, "failed");
  assert.throws(() => take(elsewhere), isSame);
  assert.throws(() => take({ ip: Ip.parse(service), port: 7 }), isSame);
  assert.equal(world.flows.current, 2);
});

Deno.test("an app is known by what it has sent, and where to", async () => {
  await using world = new World();
  const hasFlow = (from: Endpoint, to = service) =>
    world.flows.hasFlow(from, (ip) => String(ip) === to);
  assert.ok(!hasFlow(app));
  world.send("a");
  assert.ok(hasFlow(app));
  assert.ok(!hasFlow(app, "10.96.0.2"));
  assert.ok(!hasFlow({ ...app, port: 1001 }));
  assert.ok(!hasFlow({ ...app, ip: Ip.parse("198.18.0.3") }));
});

Deno.test("flows that services begin leave room to those of apps", async () => {
  await using world = new World();
  world.send("a");
  await turn();
  let taken = 1;
  const take = () =>
    world.flows.take(
      { app, service: { ...elsewhere, port: taken } },
      () => new FakeDatagrams(),
    );
  // One number is the app's own flow.
  for (; taken <= 512; taken++) if (taken !== 7) take();
  assert.throws(take, (error) => refusedAs(error, "overloaded"));
  assert.equal(world.counters.read().udp_evicted, 0);
  world.send("b", { to: "10.96.0.2" });
  await turn();
  assert.equal(world.dialled.length, 2);
});
