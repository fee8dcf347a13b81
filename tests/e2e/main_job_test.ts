/** The main job: connect, reach services by name from any program, quit, and leave no trace. */
import assert from "node:assert/strict";
import { Laptop, openCluster } from "../cluster/mod.ts";
import { Tp } from "../support/laptop_tp.ts";
import { assertSameState } from "../support/same_state.ts";

const page = "verylargejavaservice.default:8080";

Deno.test("tp connect makes services answer by name, tp quit leaves the host as it was", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const before = await laptop.snapshot();

  const unconnected = await laptop.run(["curl", "-sS", "-m", "5", page]);
  assert.notEqual(unconnected.code, 0);

  const connected = await tp.ok(["connect"]);
  assert.match(connected, /^Connected to context \S+ \(https:\/\/\S+\)$/m);

  const answer = await laptop.run(["curl", "-sS", "-m", "10", page]);
  assert.match(answer.stdout, /^<!DOCTYPE HTML>/, answer.stderr);
  assert.match(answer.stdout, /Welcome to the EdgyCorp WebApp/);

  assert.match(await tp.ok(["connect"]), /^Already connected to context/m);

  const quit = await tp.ok(["quit"]);
  assert.equal(quit, "tp Daemon quitting...done\n");
  const gone = await laptop.run(["curl", "-sS", "-m", "5", page]);
  assert.notEqual(gone.code, 0);
  assertSameState(await laptop.snapshot(), before);
});

Deno.test("tp status tells the connection as text, JSON and YAML", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  assert.equal(await tp.ok(["status"]), "Not connected\n");
  await using _ = await tp.connected(["--namespace", "kube-system"]);

  const text = await tp.ok(["status"]);
  assert.match(text, /^Connected\n {2}Context: +\S+ \(https:/);
  assert.match(text, /Proxy: +ON \(networking to the cluster is enabled\)/);
  assert.match(text, /Intercepts: +0 total/);

  const status = JSON.parse(await tp.ok(["status", "--output", "json"]));
  assert.equal(status.user_daemon.status, "Connected");
  assert.equal(status.user_daemon.namespace, "kube-system");
  assert.equal(status.user_daemon.manager_namespace, "ambassador");
  assert.ok(status.root_daemon.subnets.length >= 2, text);
  assert.match(status.traffic_manager.version, /^\d+\.\d+\.\d+$/);
  assert.ok(keysOf(status.traffic).length > 20, text);
  for (const key of keysOf(status)) assert.match(key, /^[a-z]+(_[a-z]+)*$/);
  assert.match(
    await tp.ok(["status", "--output", "yaml"]),
    /^user_daemon:\n {2}running: true\n/,
  );
});

/** The keys of an object and of all that it holds. */
function keysOf(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const own = Array.isArray(value) ? [] : Object.keys(value);
  return [...own, ...Object.values(value).flatMap(keysOf)];
}

Deno.test("tp connect -- CMD runs the command connected and passes its exit code on", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const before = await laptop.snapshot();
  const script = `curl -sS -m 10 ${page} | grep -o EdgyCorp && exit 7`;
  const { code, stdout, stderr } = await tp.run([
    "connect",
    "--",
    "sh",
    "-c",
    script,
  ]);
  assert.match(stdout, /^EdgyCorp$/m, stderr);
  assert.equal(code, 7);
  assertSameState(await laptop.snapshot(), before);
});

Deno.test("tp connect -- CMD exits as a shell does when CMD cannot be run, and is disconnected", async (t) => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const before = await laptop.snapshot();
  const cases: [command: string, code: number, state: string][] = [
    ["no-such-program", 127, "no such program"],
    ["/no/such/program", 127, "no such program"],
    ["/etc/passwd", 126, "it is no program that you may run"],
    ["/etc", 126, "it is no program that you may run"],
  ];
  for (const [command, code, state] of cases) {
    await t.step(command, async () => {
      const told = await tp.run(["connect", "--", command, "argument"]);
      assert.equal(told.code, code, told.stderr);
      assert.equal(told.stdout, "");
      const [, cause, remedy, ...rest] =
        /^(tp: .*)\n( {4}.*)\n$/m.exec(told.stderr) ?? [];
      assert.equal(cause, `tp: Cannot run "${command}": ${state}`);
      assert.match(remedy ?? "", code === 127 ? /PATH/ : /chmod/);
      assert.deepEqual(rest, []);
      assertSameState(await laptop.snapshot(), before);
    });
  }
});

Deno.test("an unprivileged user connects through sudo and is told why", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop, { user: "tp-test" });
  const before = await laptop.snapshot();
  const connected = await tp.ok(["connect"]);
  assert.match(
    connected,
    /Need root privileges to run "\S+ daemon-foreground"/,
  );
  const answer = await laptop.run(["curl", "-sS", "-m", "10", page], {
    user: "tp-test",
  });
  assert.match(answer.stdout, /EdgyCorp/, answer.stderr);
  await tp.ok(["quit"]);
  assertSameState(await laptop.snapshot(), before);
});
