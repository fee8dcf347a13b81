/** What `tp status` tells of a fault: while it lasts, and when it is over. */
import assert from "node:assert/strict";
import { Laptop, openCluster, say, waitFor } from "../cluster/mod.ts";
import type { Status } from "../../connector/api.ts";
import { Tp } from "../support/laptop_tp.ts";
import { undocumented } from "../support/status_fields.ts";

Deno.test("tp status tells a loss of the cluster while it lasts, and as its last error when it is over", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const status = async (): Promise<Status> => {
    const text = await tp.ok(["status", "--output", "json"]);
    const all = JSON.parse(text);
    assert.deepEqual(await undocumented(all), []);
    return all;
  };
  await using _ = await tp.connected();
  const { user_daemon: before } = await status();
  assert.deepEqual(
    [before.error, before.last_error],
    [undefined, undefined],
    "an undisturbed connection has no trouble to tell",
  );
  assert.doesNotMatch(await tp.ok(["status"]), /Last error/);

  const since = new Date().toISOString();
  {
    await using _ = await laptop.severCluster();
    await waitFor("the loss in tp status", async () => {
      const { user_daemon: { error }, traffic_manager: manager } =
        await status();
      if (error === undefined) return "no error";
      assert.equal(manager!.session.state, "waiting");
      assert.equal(manager!.session.reason, error);
      return true;
    }, { timeoutMs: 30_000 });
    const text = await tp.ok(["status"]);
    assert.match(text, /^ +Proxy: +INTERRUPTED \(.+; trying again\)$/m);
    assert.match(text, /^ +Last error: +\S+ \S+ UTC: no way to the manager /m);
  }
  await waitFor("the way back", async () => {
    const { user_daemon: { error } } = await status();
    return error === undefined || error;
  }, { timeoutMs: 30_000 });
  const { user_daemon: { last_error: last } } = await status();
  say(JSON.stringify(last));
  assert.match(
    last!.text,
    /^no way to the manager \(pod traffic-manager-\d\): \S/,
  );
  assert.ok(last!.time > since && last!.time < new Date().toISOString());
  const [line] = /^ +Last error: .*$/m.exec(await tp.ok(["status"])) ?? [];
  say(`${line}`.trim());
  assert.match(line!, /^ +Last error: +[\d-]+ [\d:]+ UTC: no way to the man/);
});
