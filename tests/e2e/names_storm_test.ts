/** Very many names at a time. */
import assert from "node:assert/strict";
import { Laptop, openCluster, outside, say } from "../cluster/mod.ts";
import { Tp } from "../support/laptop_tp.ts";
import { startScript } from "../support/laptop_script.ts";
import type { Storm } from "../support/names_storm_script.ts";
import type { Latency, Outside } from "../support/outside_probe_script.ts";

const names = 10_000;
/** How long half of the questions about the outside may wait for us at most. */
const delayMs = 50;
/** After that a resolver asks the next nameserver. */
const resolverMs = 1_000;

Deno.test("ten thousand names at a time are all answered, and who asks for the outside hardly waits for it", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  await using _ = await tp.connected();
  const status = async () =>
    JSON.parse(await tp.ok(["status", "--output", "json"]));
  const { root_daemon: { dns } } = await status();
  const nameservers = [dns.vif_address, outside.dns.ipv4];
  await using probe = startScript(laptop, "outside_probe_script.ts", [
    ...[...nameservers, outside.name],
  ]);
  assert.equal(await probe.nextLine(), "ready");
  await using script = startScript(laptop, "names_storm_script.ts", [
    ...[dns.vif_address, `${names}`],
  ]);
  // What waits for its turn once more at the end is no storm.
  assert.equal(await script.nextLine(), "asked");
  await probe.tell("enough");
  const { through, direct }: Outside = JSON.parse(await probe.nextLine());
  const storm: Storm = JSON.parse(await script.nextLine());
  const text = ({ count, lost, ...times }: Latency) =>
    [`${count} answered`, `${lost} lost`].concat(
      Object.entries(times).map(([name, ms]) => `${name} ${ms.toFixed(1)} ms`),
    ).join(", ");
  say(`${names} names in ${storm.seconds.toFixed(1)} s`);
  say(`the outside, by us: ${text(through)}`);
  say(`the outside, directly: ${text(direct)}`);
  assert.deepEqual(storm.told, {
    "present: code 0, 1 records": names / 2,
    "absent: code 3, 0 records": names / 2,
  });
  assert.equal(through.lost, 0);
  assert.ok(through.p50 - direct.p50 < delayMs);
  // Now and then a busy machine has no time for anybody, but never for so long that a resolver would turn to another.
  assert.ok(through.max < resolverMs);
  const { traffic } = await status();
  assert.equal(traffic.dns_in_flight, 0);
  assert.equal(traffic.dns_overflowed, 0);
});
