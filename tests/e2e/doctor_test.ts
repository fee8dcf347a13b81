/** `tp doctor` on a laptop that is well, and on ones on which something is wrong. */
import assert from "node:assert/strict";
import { Laptop, openCluster, say } from "../cluster/mod.ts";
import { Tp } from "../support/laptop_tp.ts";
import { undocumented } from "../support/status_fields.ts";
import { assertSameState } from "../support/same_state.ts";

interface Told {
  ok: boolean;
  connected: boolean;
  checks: { id: string; state: string; found: string; remedy?: string }[];
}

async function examined(tp: Tp, ...args: string[]) {
  const { code, stdout, stderr } = await tp.run(
    ["doctor", "--output", "json", ...args],
  );
  assert.notEqual(stdout, "", stderr);
  const report: Told = JSON.parse(stdout);
  assert.equal(code, report.ok ? 0 : 1);
  const wrong = report.checks.filter(({ state }) => state !== "ok");
  for (const { id, state, found, remedy } of wrong) {
    say(`${state} ${id}: ${found} -> ${remedy}`);
  }
  return { ...report, wrong };
}

Deno.test("tp doctor checks laptop, cluster and connection, and tells what was broken", async (t) => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const before = await laptop.snapshot();

  await t.step("without a connection: the way to the cluster", async () => {
    const { connected, checks } = await examined(tp);
    assert.equal(connected, false);
    const state = (id: string) => checks.find((one) => one.id === id)?.state;
    for (const id of ["kubeconfig", "api-server", "clock", "large-packets"]) {
      assert.equal(state(id), "ok", id);
    }
    assert.equal(state("getaddrinfo"), undefined);
  });

  await t.step("a context that is not there is a failure", async () => {
    const { wrong } = await examined(tp, "--context", "nowhere");
    assert.ok(wrong.some(({ id }) => id === "kubeconfig"));
  });

  await t.step("connected: all is well", async () => {
    await using _ = await tp.connected();
    const { connected, checks, wrong } = await examined(tp);
    assert.equal(connected, true);
    assert.deepEqual(wrong, []);
    for (const { id, found } of checks) say(`ok ${id}: ${found}`);
    assert.ok(checks.some(({ id }) => id === "getaddrinfo"));
    const status = JSON.parse(await tp.ok(["status", "--output", "json"]));
    assert.ok(Object.keys(status.traffic).length > 20);
    assert.deepEqual(await undocumented(status), []);
  });

  await t.step("connected: programs that do not ask DNS", async () => {
    await using _ = await tp.connected();
    await laptop.run(
      ["sh", "-c", "sed -i.was 's/^hosts:.*/hosts: files/' /etc/nsswitch.conf"],
    );
    const { wrong } = await examined(tp);
    await laptop.run(["mv", "/etc/nsswitch.conf.was", "/etc/nsswitch.conf"]);
    assert.deepEqual(wrong.map(({ id }) => id), ["getaddrinfo"]);
    assert.match(wrong[0]!.remedy!, /nsswitch/);
  });

  assertSameState(await laptop.snapshot(), before);
});
