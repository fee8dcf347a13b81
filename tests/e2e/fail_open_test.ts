/** Fail open: whatever is stopped, the host's own names work within 2 s and the next connect works. Kills: killed_connect_test.ts. */
import assert from "node:assert/strict";
import {
  defaultResolvConf,
  Laptop,
  openCluster,
  waitFor,
} from "../cluster/mod.ts";
import { Tp } from "../support/laptop_tp.ts";
import { type OwnProcesses, ownProcesses } from "../support/own_processes.ts";
import { assertSameState } from "../support/same_state.ts";

const outside = "outside.example.test";
const page = "verylargejavaservice.default:8080";
const withinMs = 2_000;

/** The guard leads a group: what it waits with is of ours, too. */
function kill(pids: OwnProcesses, victim: keyof OwnProcesses): void {
  const pid = pids[victim];
  Deno.kill(victim === "guard" ? -pid : pid, "SIGKILL");
}

async function mustResolveOutside(laptop: Laptop, after: string) {
  const { code, durationMs, stdout } = await laptop.run(
    ["getent", "hosts", outside],
    { timeoutMs: 10_000 },
  );
  assert.equal(code, 0, `${outside} does not resolve after ${after}`);
  assert.match(stdout, /outside\.example\.test/);
  assert.ok(
    durationMs < withinMs,
    `it took ${durationMs} ms after ${after}`,
  );
}

Deno.test("a stopped connector delays outside names by less than 2 s; continued, it serves again", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const before = await laptop.snapshot();
  await tp.ok(["connect"]);
  const { connector } = await ownProcesses(laptop);
  Deno.kill(connector, "SIGSTOP");
  try {
    await mustResolveOutside(laptop, "SIGSTOP of the connector");
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await mustResolveOutside(laptop, "2.5 s of a stopped connector");
  } finally {
    Deno.kill(connector, "SIGCONT");
  }
  const deadline = Date.now() + 15_000;
  let body = "";
  while (!body.includes("EdgyCorp") && Date.now() < deadline) {
    body = (await laptop.run(["curl", "-sS", "-m", "5", page])).stdout;
  }
  assert.match(body, /EdgyCorp/);
  await tp.ok(["quit"]);
  assertSameState(await laptop.snapshot(), before);
});

Deno.test("a stopped daemon breaks no name and the next connect works", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const before = await laptop.snapshot();
  await tp.ok(["connect"]);
  const { daemon } = await ownProcesses(laptop);
  Deno.kill(daemon, "SIGSTOP");
  await mustResolveOutside(laptop, "SIGSTOP of the daemon");
  // The guard kills a daemon that stays stopped, so that it cannot wake up in the middle of the undoing.
  await waitFor("the end of the stopped daemon", async () => {
    return !(await laptop.pids()).includes(daemon) || "it is there";
  });
  await mustResolveOutside(laptop, "the end of a stopped daemon");
  await tp.ok(["quit"]);
  await tp.ok(["connect"]);
  await tp.ok(["quit"]);
  assertSameState(await laptop.snapshot(), before);
});

Deno.test("a repair by the next command of any kind follows when all of ours was killed", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const before = await laptop.snapshot();
  await tp.ok(["connect"]);
  const pids = await ownProcesses(laptop);
  for (const victim of ["guard", "daemon", "connector"] as const) {
    kill(pids, victim);
  }
  await tp.ok(["status"]);
  assertSameState(await laptop.snapshot(), before);
});

Deno.test("a connector that stays stopped is ended by the next connect, and only told by status", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const before = await laptop.snapshot();
  await tp.ok(["connect"]);
  const { connector } = await ownProcesses(laptop);
  Deno.kill(connector, "SIGSTOP");
  assert.match(
    await tp.fails(["status"]),
    new RegExp(`process ${connector}\\): a signal has stopped it`),
  );
  const connected = await tp.ok(["connect"]);
  assert.match(
    connected,
    new RegExp(`^Ended the connector \\(process ${connector}\\)`, "m"),
  );
  const answer = await laptop.run(["curl", "-sS", "-m", "10", page]);
  assert.match(answer.stdout, /EdgyCorp/, answer.stderr);
  await tp.ok(["quit"]);
  assertSameState(await laptop.snapshot(), before);
});

Deno.test("a nameserver that the host learns of while connected is never routed to the cluster", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  await using _ = await tp.connected();
  const late = "10.96.200.53";
  const route = async () =>
    (await laptop.run(["ip", "route", "get", late])).stdout;
  assert.match(await route(), /dev tp0/);
  await laptop.writeResolvConf(`nameserver ${late}\n`);
  await waitFor("way around the tunnel", async () => {
    const text = await route();
    return !text.includes("dev tp0") || text;
  }, { timeoutMs: 10_000 });
  await laptop.writeResolvConf(defaultResolvConf);
});
