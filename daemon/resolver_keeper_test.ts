import assert from "node:assert/strict";
import { FakeResolverEdge } from "../dns/edges/edge_fake.ts";
import { FakeClock } from "../net/clock_fake.ts";
import { Ip } from "../net/mod.ts";
import { ResolverKeeper, silenceMs } from "./resolver_keeper.ts";

const plan = {
  nameserver: Ip.parse("198.18.0.3"),
  device: { name: "tp0", index: 7 },
  zones: [],
  search: [],
};

function setUp() {
  const edge = new FakeResolverEdge();
  const clock = new FakeClock();
  const keeper = new ResolverKeeper({
    ...{ edge, clock },
    block: (ip) => edge.done.push(`block ${ip}`),
    unblock: (ip) => edge.done.push(`unblock ${ip}`),
  });
  return { edge, clock, keeper };
}

Deno.test("a silent connector's resolver is restored once and applied again when it is heard", async () => {
  const { edge, clock, keeper } = setUp();
  await keeper.set(plan);
  clock.advance(silenceMs);
  await keeper.tick({ stopped: false });
  clock.advance(1);
  await keeper.tick({ stopped: false });
  await keeper.tick({ stopped: false });
  await keeper.heard();
  await keeper.tick({ stopped: false });
  assert.deepEqual(edge.done, [
    "apply 198.18.0.3",
    "follow",
    "restore",
    "block 198.18.0.3",
    "unblock 198.18.0.3",
    "apply 198.18.0.3",
    "follow",
  ]);
});

Deno.test("a stopped connector's resolver is restored at once", async () => {
  const { edge, keeper } = setUp();
  await keeper.set(plan);
  await keeper.tick({ stopped: true });
  const silenced = ["apply 198.18.0.3", "restore", "block 198.18.0.3"];
  assert.deepEqual(edge.done, silenced);
  await keeper.restore();
  assert.deepEqual(edge.done, [...silenced, "restore", "unblock 198.18.0.3"]);
});

Deno.test("a resolver that was given back is not applied again by a heartbeat", async () => {
  const { edge, clock, keeper } = setUp();
  await keeper.set(plan);
  await keeper.restore();
  clock.advance(2 * silenceMs);
  await keeper.tick({ stopped: false });
  await keeper.heard();
  assert.deepEqual(edge.done, ["apply 198.18.0.3", "restore"]);
});

Deno.test("a restore that fails is tried again", async () => {
  const { edge, keeper } = setUp();
  await keeper.set(plan);
  edge.failure = new Error("no space");
  await assert.rejects(keeper.tick({ stopped: true }), /no space/);
  await keeper.tick({ stopped: true });
  assert.deepEqual(edge.done, [
    "apply 198.18.0.3",
    "restore",
    "block 198.18.0.3",
  ]);
});

Deno.test("a resolver that could not be applied again is tried at the next heartbeat", async () => {
  const { edge, keeper } = setUp();
  await keeper.set(plan);
  await keeper.tick({ stopped: true });
  edge.failure = new Error("no space");
  await assert.rejects(keeper.heard(), /no space/);
  await keeper.heard();
  assert.deepEqual(edge.done, [
    "apply 198.18.0.3",
    "restore",
    "block 198.18.0.3",
    "unblock 198.18.0.3",
    "apply 198.18.0.3",
  ]);
});
