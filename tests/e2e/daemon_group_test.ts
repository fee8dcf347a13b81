/** With the daemon as a service, a member of its group works with a cluster and may use no sudo. */
import assert from "node:assert/strict";
import { serviceSocketPath } from "../../daemon/api.ts";
import { Laptop, must, openCluster } from "../cluster/mod.ts";
import { executable, Tp } from "../support/laptop_tp.ts";
import { assertSameState } from "../support/same_state.ts";

const page = "verylargejavaservice.default:8080";
const user = "tp-test";

Deno.test("a member of the service's group connects without sudo, and leaves nothing", async () => {
  await using laptop = await Laptop.open(await openCluster());
  await must(laptop.command(["rm", "/etc/sudoers.d/tp-test"]));
  const before = await laptop.snapshot();
  const service = laptop.spawn([
    ...["systemd-socket-activate", "--seqpacket", `-l${serviceSocketPath}`],
    ...[executable, "daemon-foreground"],
  ], { stdin: "null", stdout: "null", stderr: "null" });
  await must(laptop.command([
    ...["sh", "-euc"],
    `until [ -S ${serviceSocketPath} ]; do sleep 0.05; done
    chown root:${user} ${serviceSocketPath}; chmod 660 ${serviceSocketPath}`,
  ]));
  const tp = new Tp(laptop, { user });
  const told = await tp.ok(["connect"]);
  assert.match(told, /^Connected to context/m);
  assert.doesNotMatch(told, /Launching|root privileges/);
  const answer = await laptop.run(["curl", "-sS", "-m", "10", page], { user });
  assert.match(answer.stdout, /EdgyCorp/, answer.stderr);
  await tp.ok(["quit"]);
  assert.equal((await service.status).code, 0);
  await must(laptop.command(["rm", serviceSocketPath]));
  assertSameState(await laptop.snapshot(), before);
});
