/** Intercepts while copies of the manager, and laptops, come and go. */
import assert from "node:assert/strict";
import type { Intercept } from "../../manager/api.ts";
import {
  deployIntercepts,
  Laptop,
  openCluster,
  say,
  sleep,
  waitFor,
} from "../cluster/mod.ts";
import {
  InterceptedNamespace,
  sessionOf,
} from "../support/hand_made_intercepts.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";

const echo = { apiVersion: "apps/v1", kind: "Deployment", name: "echo" };

Deno.test("a copy of the manager that is killed loses no intercept; a laptop that goes is away after 30 s", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using place = await managerPlace(cluster);
  const tp = new Tp(laptop);
  await tp.ok(["install", ...place.flag, "--replicas", "2"]);
  const connection = await tp.connected([...place.flag]);
  const session = await sessionOf(cluster, place);
  await using made = await cluster.namespace();
  await deployIntercepts(cluster, made.name);
  const manager = place.namespace;
  const here = new InterceptedNamespace(cluster, {
    ...{ name: made.name, manager, session },
  });
  await here.intercept("web", echo);
  const { status } = await here.phase("web", "Active");
  const holder = status.manager!;
  say(`two copies of the manager: ${holder} has the laptop`);

  const phases = new Set<string>();
  const watching = new AbortController();
  const watched = (async () => {
    while (!watching.signal.aborted) {
      const { status } = await here.json<Intercept>("intercept", "web");
      phases.add(`${status?.phase} at ${status?.manager}`);
      await sleep(200);
    }
  })();
  await cluster.kubectl([
    ...["delete", "pod", holder, "--namespace", manager],
    ...["--grace-period=0", "--force"],
  ]);
  const killed = performance.now();
  await waitFor("the laptop at another copy, or the next", async () => {
    const { status } = await here.json<Intercept>("intercept", "web");
    const isServed = status?.pods?.ready === 3 &&
      performance.now() - killed > 40_000;
    return isServed || JSON.stringify(status);
  }, { timeoutMs: 90_000 });
  watching.abort();
  await watched;
  say(`phases while a copy was killed: ${[...phases].join(", ")}`);
  for (const phase of phases) assert.match(phase, /^Active at /);

  await connection[Symbol.asyncDispose]();
  const away = await here.phase("web", "Away");
  say(`tp quit: away after ${Math.round(away.ms)} ms`);
  assert.ok(away.ms > 18_000 && away.ms < 45_000, `${away.ms} ms`);
});
