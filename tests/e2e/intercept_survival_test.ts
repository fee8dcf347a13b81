/** An intercept survives whatever happens between the laptop and the cluster; while the laptop is away, the app answers. */
import assert from "node:assert/strict";
import { say, waitFor } from "../cluster/mod.ts";
import { EchoPlace } from "../support/echo_place.ts";
import { evict } from "../support/eviction.ts";
import { type Fault, Faults } from "../support/faults.ts";
import {
  InterceptedService,
  patienceMs,
  span,
} from "../support/intercepted_service.ts";
import { ends, lifeOf, succeeded } from "../support/manager_pods.ts";
import type { ManagerPlace } from "../support/manager_place.ts";
import { ownProcesses } from "../support/own_processes.ts";
import { hasAgent, isReady, WorkloadWatch } from "../support/workload_watch.ts";

/** The faults are made in the bed's own network. */
const ignore = Deno.env.has("TP_TEST_KUBECONFIG");
/** When a laptop counts as away, and how long it takes until the phase says so and agents know. */
const awayMs = 30_000;
const noticedMs = 16_000;
const app = /^(echo|echo-number|files)-[0-9a-f]+-/;
const pod = "traffic-manager-0";

/** A manager's process ends and another one comes: the intercept is the same, and works. */
async function outliveManager(
  service: InterceptedService,
  { place, end }: { place: ManagerPlace; end: (typeof ends)[number] },
): Promise<void> {
  const { clients, own, cluster } = service;
  const { metadata: { uid } } = await service.object();
  const life = (await lifeOf(cluster, place, pod))!;
  const during = await span(async () => {
    await end.bring(cluster, place, pod);
    await succeeded(cluster, place, { pod, life });
  });
  const backMs = await service.comesBack(during);
  const answers = await clients.settled(during.startMs, during.endMs);
  const failed = answers.filter(({ who }) => who === undefined);
  const ofApp = answers.filter(({ who = "" }) => app.test(who));
  const seconds = ((during.endMs - during.startMs) / 1000).toFixed(1);
  say(
    `intercept: the manager ${end.name}: ready again after ${seconds} s, the laptop's next answer ${backMs} ms later; of ${answers.length} requests meanwhile the app had ${ofApp.length}, ${failed.length} failed`,
  );
  assert.ok(backMs <= 3_000, `${backMs} ms`);
  // What is on its way through a process that is killed is lost with it.
  assert.ok(failed.length <= 2, JSON.stringify(failed));
  assert.deepEqual(ofApp, []);
  assert.equal((await service.object()).metadata.uid, uid);
  await service.phase("Active", during.endMs);
  await clients.answered(own);
  await clients.echo();
}

/** Its pods are evicted, each when the one before is replaced: those that come are intercepted before they serve. */
async function outliveEvictions(
  service: InterceptedService,
  { namespace, name }: { namespace: string; name: string },
): Promise<void> {
  const { clients, own, cluster } = service;
  const watch = new WorkloadWatch(cluster, namespace);
  const { metadata: { uid } } = await service.object();
  const former = await watch.pods(name);
  const during = await span(async () => {
    for (const { metadata } of former) {
      await evict(cluster, { namespace, pod: metadata.name });
      await waitFor("replacement", async () => {
        const pods = (await watch.pods(name)).filter(isReady);
        const isGone = pods.every((one) => one.metadata.uid !== metadata.uid);
        return isGone && pods.length === former.length || `${pods.length} pods`;
      });
    }
  });
  const backMs = await service.comesBack(during);
  const answers = await clients.settled(during.startMs, during.endMs);
  const others = answers.filter(({ who = "" }) => !own.test(who));
  const seconds = ((during.endMs - during.startMs) / 1000).toFixed(1);
  say(
    `intercept: ${former.length} pods evicted in ${seconds} s: ${answers.length} requests meanwhile, ${others.length} not the laptop's; the next answer ${backMs} ms`,
  );
  assert.deepEqual(others, []);
  assert.ok(backMs <= 3_000, `${backMs} ms`);
  const pods = await watch.pods(name);
  assert.ok(pods.every(hasAgent));
  const { metadata, status } = await service.object();
  assert.equal(metadata.uid, uid);
  assert.deepEqual(status?.pods, { ready: pods.length, wanted: pods.length });
  assert.equal(status?.phase, "Active");
  // With them end the conversations that they had.
  const gone = former.map(({ metadata }) => `pod/${metadata.name}`);
  await watch.kubectl(["wait", "--for=delete", "--timeout=60s", ...gone]);
  await clients.echo();
  assert.match(clients.conversation!.who, own);
}

/** A fault for which the laptop counts as away: the app answers, and later the laptop again, with no word of its user. */
async function beAway(
  service: InterceptedService,
  { name, make, withinMs }: Fault,
): Promise<void> {
  const { clients, own } = service;
  const converses = clients.conversation !== undefined;
  if (converses) await clients.echo();
  const breaks = clients.breaks.length;
  const { metadata: { uid } } = await service.object();
  const startMs = Date.now();
  const [during, toldMs, { endedMs }] = await Promise.all([
    span(make),
    service.phase("Away", startMs),
    clients.answered(app, { sinceMs: startMs }),
  ]);
  const [backMs, echoMs, activeMs] = await Promise.all([
    service.comesBack(during),
    converses ? clients.echo() : undefined,
    service.phase("Active", during.endMs),
  ]);
  const answers = await clients.settled(startMs, during.endMs);
  const failed = answers.filter(({ who = "" }) =>
    !own.test(who) && !app.test(who)
  );
  const fast = clients.since(startMs + awayMs + noticedMs, during.endMs - 1000);
  const longestMs = Math.max(
    0,
    ...fast.map(({ startedMs, endedMs }) => endedMs - startedMs),
  );
  say(
    `intercept: ${name}: Away after ${toldMs} ms, the app's first answer after ${
      endedMs - startMs
    } ms, later ones within ${longestMs} ms; afterwards: Active ${activeMs} ms, the laptop's next answer ${backMs} ms${
      echoMs === undefined ? "" : `, the open connection ${echoMs} ms`
    }`,
  );
  assert.deepEqual(failed, []);
  assert.ok(toldMs >= awayMs - 11_000, `${toldMs} ms`);
  assert.ok(toldMs <= awayMs + noticedMs, `${toldMs} ms`);
  assert.ok(endedMs - startMs < patienceMs + 8_000);
  assert.ok(longestMs < 1_000, `${longestMs} ms`);
  assert.equal(clients.breaks.length, breaks, clients.breaks.join());
  assert.ok(backMs <= withinMs, `${backMs} ms`);
  assert.equal((await service.object()).metadata.uid, uid);
}

/** The connector is killed: the app answers, and the next `tp intercept` takes the place of what was left. */
async function beKilled(
  service: InterceptedService,
  victim: "connector" | "daemon",
): Promise<void> {
  const { clients, own, laptop } = service;
  const { metadata: { uid } } = await service.object();
  const pids = await ownProcesses(laptop);
  const startMs = Date.now();
  Deno.kill(pids[victim], "SIGKILL");
  if (victim === "connector") {
    const [toldMs] = await Promise.all([
      service.phase("Away", startMs),
      clients.answered(app, { sinceMs: startMs }),
    ]);
    say(`intercept: kill -9 of the connector: Away after ${toldMs} ms`);
  }
  const again = Date.now();
  await service.intercept();
  const interceptMs = Date.now() - again;
  const { endedMs } = await clients.answered(own);
  const { metadata } = await service.object();
  say(
    `intercept: after kill -9 of the ${victim}: connected and intercepted again in ${interceptMs} ms, the laptop's answer ${
      endedMs - again
    } ms after that began`,
  );
  assert.notEqual(metadata.uid, uid);
}

Deno.test({
  name: "an intercept survives",
  ignore,
  fn: async (t) => {
    await using echo = await EchoPlace.open();
    const { cluster, manager: place, namespace } = echo;
    const at = { namespace, place };
    await using first = await InterceptedService.open(cluster, {
      ...{ ...at, name: "echo", converse: 7000 },
      ports: ["8080:http", "7000:greeting"],
    });
    const { connector } = await ownProcesses(first.laptop);
    await using faults = new Faults({
      ...{ cluster, laptop: first.laptop, connector },
    });
    for (
      const next of [
        () => faults.blackHole(10),
        () => faults.reset(),
        () => faults.restart(),
        () => faults.roam(),
        () => faults.roam(),
      ]
    ) {
      const fault = next();
      await t.step(fault.name, () => first.outlive(fault));
    }
    for (const end of ends) {
      const step = () => outliveManager(first, { place, end });
      await t.step(`a manager that ${end.name}`, step);
    }
    await t.step(
      "evictions of its pods, as by drains of their nodes",
      () => outliveEvictions(first, { namespace, name: "echo" }),
    );
    await t.step("laptops that are away, each its own way", async () => {
      await using second = await InterceptedService.open(cluster, {
        ...{ ...at, name: "echo-number", converse: 7000 },
        ports: ["8080:http", "7000:greeting"],
      });
      await using third = await InterceptedService.open(cluster, {
        ...{ ...at, name: "files", ports: ["8080:http"] },
      });
      const pids = await ownProcesses(second.laptop);
      await using stops = new Faults({
        ...{ cluster, laptop: second.laptop, connector: pids.connector },
      });
      await Promise.all([
        beAway(first, faults.blackHole(60)),
        beAway(second, stops.stop(50)),
        beKilled(third, "connector"),
      ]);
      await beKilled(third, "daemon");
    });
  },
});
