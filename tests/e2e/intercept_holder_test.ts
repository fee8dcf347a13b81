/** Who holds requests that another wants, too: while he is there, while he is away, and when it is taken from him. */
import assert from "node:assert/strict";
import type { Intercept } from "../../manager/api.ts";
import { say, waitFor } from "../cluster/mod.ts";
import { curlInCluster } from "../support/asked.ts";
import type { Colleague } from "../support/colleague.ts";
import { EchoPlace } from "../support/echo_place.ts";
import { Holding } from "../support/holding.ts";
import { ownProcesses } from "../support/own_processes.ts";
import { WorkloadWatch } from "../support/workload_watch.ts";

const workload = "echo-number";
const wanted = [
  ...["intercept", workload, "--port", "8080:http", "--mount=false"],
  ...["--http-header", "x-user=both"],
];
/** Requests that are not the app's once a laptop counts as away, and after what the cluster was told. */
const soonMs = 3_000;

Deno.test("of two who want the same requests the first has them while he is there and nobody takes it from him; then the other, who is told whose they are", async (t) => {
  await using place = await EchoPlace.open();
  const { cluster, namespace } = place;
  const [a, b] = [await place.join("a"), await place.join("b")];
  const watch = new WorkloadWatch(cluster, namespace);
  const objects = async (): Promise<Intercept[]> => {
    const text = await watch.kubectl(["get", "intercepts", "--output=json"]);
    return JSON.parse(text).items;
  };
  const objectOf = async ({ name }: Colleague) =>
    (await objects()).find(({ spec }) => spec.owner === name);
  const phase = async (who: Colleague, wanted: string) => {
    const startMs = performance.now();
    await waitFor(`phase ${wanted}`, async () => {
      const { status } = await objectOf(who) ?? {};
      return status?.phase === wanted || JSON.stringify(status);
    });
    return Math.round(performance.now() - startMs);
  };
  /** Resolves, when the request is answered by them, to after how long. */
  const answeredBy = async (who: string) => {
    const startMs = performance.now();
    const ask = ["--header", "x-user: both", `http://${workload}/who`];
    await waitFor(`answer of ${who}`, async () => {
      const told = await curlInCluster(cluster, namespace, ask);
      return new RegExp(`"who": *"${who}"`).test(told) || told;
    });
    return Math.round(performance.now() - startMs);
  };
  const app = `${workload}-[0-9a-f]+-\\w+`;
  const isTold = async ({ tp }: Colleague, holder: Colleague) => {
    const told = await tp.fails(wanted);
    const whose = `port 8080 of Deployment "${workload}" is intercepted ` +
      `with the same match by ${holder.name} (`;
    assert.ok(told.startsWith(`tp: Cannot intercept: ${whose}`), told);
    assert.ok(told.includes(`) as "${workload}"`), told);
  };

  await using first = await Holding.start(a.tp, wanted);
  await answeredBy("a");
  await t.step("the holder is there", async () => {
    await isTold(b, a);
    assert.equal((await objects()).length, 1);
    await answeredBy("a");
  });

  const { connector } = await ownProcesses(a.laptop);
  Deno.kill(connector, "SIGSTOP");
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.kill(connector, "SIGCONT"));
  let second: Holding | undefined;
  await t.step("the holder is away", async () => {
    // For 30 s nobody knows it.
    await isTold(b, a);
    const awayMs = await phase(a, "Away");
    await answeredBy(app);
    second = stack.use(await Holding.start(b.tp, wanted));
    await second.tells(
      `: ACTIVE: for as long as another is away: port 8080 of Deployment ` +
        `"${workload}" is intercepted with the same match by ${a.name} (`,
    );
    const nextMs = await answeredBy("b");
    say(
      `holder: Away ${awayMs} ms after another was turned away; then that one's answer ${nextMs} ms after its intercept was active`,
    );
    assert.equal((await objectOf(a))?.status?.phase, "Away");
  });
  await t.step("the holder is back", async () => {
    Deno.kill(connector, "SIGCONT");
    const [activeMs, conflictMs, backMs] = await Promise.all([
      phase(a, "Active"),
      phase(b, "Conflict"),
      answeredBy("a"),
    ]);
    say(
      `holder: back: Active after ${activeMs} ms, the other's Conflict after ${conflictMs} ms, the holder's answer after ${backMs} ms`,
    );
    const whose = `"${workload}" has no traffic: port 8080 of Deployment ` +
      `"${workload}" is intercepted with the same match by ${a.name} `;
    await second!.tells(whose);
    const list = await b.tp.ok(["list", "--namespace", namespace]);
    assert.ok(list.includes(`by ${a.name} (`), list);
  });
  await t.step("it is taken from the holder", async () => {
    await watch.kubectl(["delete", "rolebinding", a.name]);
    const { metadata } = (await objectOf(a))!;
    const startMs = performance.now();
    await watch.kubectl(["delete", "intercept", metadata.name!]);
    await first.tells(`"${workload}" has ended: its object was deleted\n`);
    const toldMs = Math.round(performance.now() - startMs);
    const [activeMs, nextMs] = await Promise.all([
      phase(b, "Active"),
      answeredBy("b"),
    ]);
    say(
      `holder: revoked: told after ${toldMs} ms, the next Active ${activeMs} ms and answering ${nextMs} ms after that`,
    );
    assert.ok(Math.max(toldMs, nextMs) <= soonMs);
    await second!.tells(`"${workload}" has its traffic again\n`);
    const refused = await a.tp.fails(wanted);
    assert.match(refused, new RegExp(`user "${a.name}" `));
    assert.match(refused, /--clusterrole tp-intercept/);
    assert.equal(await first.end(), 143);
  });
  await t.step("the last one leaves", async () => {
    assert.equal(await second!.end(), 143);
    await answeredBy(app);
    assert.deepEqual(await objects(), []);
  });
});
