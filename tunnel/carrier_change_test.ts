import assert from "node:assert/strict";
import { FakeCarrier, openFleet } from "./carriers_fake.ts";
import type { CarrierChange } from "./mod.ts";
import { bytesOf, echo, until } from "./session_fake.ts";

Deno.test("both ends are told of carriers that join and are lost, and how many are left", async () => {
  const near: CarrierChange[] = [];
  const far: CarrierChange[] = [];
  const gate = Promise.withResolvers<void>();
  await using fleet = await openFleet({
    serve: echo,
    carrier(index) {
      const one = new FakeCarrier();
      if (index === 1) one.gate = gate.promise;
      return one;
    },
    dialOptions: { onCarrier: (change) => void near.push(change) },
    acceptorOptions: { onCarrier: (_, change) => void far.push(change) },
  });
  await fleet.dialer.open(bytesOf("x"));
  await fleet.dialer.open(bytesOf("y"));
  fleet.carriers[0]!.reset();
  await until(() => near.length === 2 && far.length === 2);
  assert.equal(fleet.dialer.stats().state, "waiting");
  gate.resolve();
  await until(() => near.length === 3 && far.length === 3);
  for (const changes of [near, far]) {
    assert.deepEqual(
      changes.map(({ number, live, lost }) => [number, live, !!lost]),
      [[1, 1, false], [1, 0, true], [2, 1, false]],
    );
    assert.match(changes[1]!.lost!, /^the carrier /);
  }
  await until(() => fleet.dialer.stats().moves === 1);
  assert.equal(fleet.dialer.stats().movedStreams, 2);
  assert.equal(fleet.acceptor.stats().movedStreams, 2);
});
