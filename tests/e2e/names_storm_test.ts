/** Very many names at a time. */
import assert from "node:assert/strict";
import { Laptop, openCluster, outside, say } from "../cluster/mod.ts";
import { Tp } from "../support/laptop_tp.ts";
import { startScript } from "../support/laptop_script.ts";
import type { Latency, Storm } from "../support/names_storm_script.ts";

const names = 10_000;
/** What half of the questions about the outside may wait for us at most. */
const delayMs = 50;

Deno.test("ten thousand names at a time are all answered, and who asks for the outside hardly waits for it", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  await using _ = await tp.connected();
  const status = async () =>
    JSON.parse(await tp.ok(["status", "--output", "json"]));
  const { root_daemon: { dns } } = await status();
  await using script = startScript(laptop, "names_storm_script.ts", [
    ...[dns.vif_address, outside.dns.ipv4, `${names}`],
  ]);
  const storm: Storm = JSON.parse(await script.nextLine());
  const text = ({ count, lost, p50, p99 }: Latency) =>
    `${count} answered, ${lost} lost, p50 ${p50.toFixed(1)} ms, p99 ${
      p99.toFixed(1)
    } ms`;
  say(`${names} names in ${storm.seconds.toFixed(1)} s`);
  say(`the outside, by us: ${text(storm.through)}`);
  say(`the outside, directly: ${text(storm.direct)}`);
  assert.deepEqual(storm.told, {
    "present: code 0, 1 records": names / 2,
    "absent: code 3, 0 records": names / 2,
  });
  assert.equal(storm.through.lost, 0);
  assert.ok(storm.through.p50 - storm.direct.p50 < delayMs);
  const { traffic } = await status();
  assert.equal(traffic.dns_in_flight, 0);
  assert.equal(traffic.dns_overflowed, 0);
});
