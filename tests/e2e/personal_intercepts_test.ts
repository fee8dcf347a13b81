/** Several people intercept one workload at once, each their own requests. */
import assert from "node:assert/strict";
import { type Cluster, say, sleep, waitFor } from "../cluster/mod.ts";
import { type Answers, ask, assertAllRight } from "../support/asked.ts";
import type { Colleague } from "../support/colleague.ts";
import { EchoPlace } from "../support/echo_place.ts";
import { ends, lifeOf, succeeded } from "../support/manager_pods.ts";
import type { ManagerPlace } from "../support/manager_place.ts";

/** How much is asked at least, and for how long: what happens meanwhile takes less. */
interface Load {
  /** Requests of each kind. */
  readonly requests: number;
  /** The same of gRPC, each a call and a chat. */
  readonly calls: number;
  readonly seconds: number;
  /** Of requests; POST unless told. */
  readonly method?: string;
}

const grpcWorkers = 3;

const expect = { "x-user: a": "a", "x-user: b": "b", none: "echo-*" };
const kinds = Object.keys(expect).length;
const both = ["--port", "8080:http", "--port", "9090:grpc", "--mount=false"];

/** Two people who have told the cluster which requests to `echo` are theirs. */
async function openPlace() {
  await using stack = new AsyncDisposableStack();
  const place = stack.use(await EchoPlace.open());
  const [a, b] = [await place.join("a"), await place.join("b")];
  for (const [{ tp }, who] of [[a, "a"], [b, "b"]] as const) {
    const mine = ["--http-header", `x-user=${who}`];
    await tp.ok(["intercept", "echo", ...both, ...mine]);
  }
  const { cluster, manager, namespace } = place;
  return { cluster, manager, namespace, a, b, place, moved: stack.move() };
}

/** Asks for as long as `events` take, and longer. */
async function askThrough(
  cluster: Cluster,
  namespace: string,
  { requests, calls, seconds, method = "POST" }: Load,
  events: () => Promise<void>,
): Promise<Answers[]> {
  const began = performance.now();
  const time = `${seconds}s`;
  const options = { expect, timeoutMs: 400_000 };
  let isAsking = true;
  const asking = Promise.all([
    ask(cluster, namespace, [
      ...["http", "-url", `http://echo.${namespace}/who`, "-time", time],
      ...["-requests", String(requests * kinds), "-workers", "6"],
      ...["-pause", "5ms", "-patience", "40s", "-method", method],
    ], options),
    ask(cluster, namespace, [
      ...["grpc", "-address", `echo.${namespace}:9090`, "-time", time],
      ...["-requests", String(calls * kinds), "-workers", String(grpcWorkers)],
      ...["-pause", "150ms", "-patience", "40s"],
    ], options),
  ]).finally(() => isAsking = false);
  const happening = sleep(3_000).then(events).then(() =>
    assert.ok(isAsking, "the clients ended before the events did")
  );
  const [[http, grpc]] = await Promise.all([asking, happening]);
  const took = ((performance.now() - began) / 1000).toFixed(0);
  for (const [what, told] of Object.entries({ HTTP: http, gRPC: grpc })) {
    say(`${what} in ${took} s: ${tallyText(told)}`);
  }
  for (const [what, of] of Object.entries(http.answers)) {
    const sum = Object.values(of).reduce((a, b) => a + b, 0);
    assert.ok(sum >= requests, `${what}: ${sum}`);
  }
  return [http, grpc];
}

function tallyText(told: Answers): string {
  const { right, wrong, failed, connections, slowestMs, faults = [] } = told;
  return `${right} right, ${wrong} wrong, ${failed} failed, by ` +
    `${connections} connections, the slowest took ${slowestMs} ms` +
    faults.map((fault) => `\n  ${fault}`).join("");
}

async function rollOut(
  cluster: Cluster,
  namespace: string,
  verb: string[],
  ...rest: string[]
): Promise<void> {
  const { code, stderr } = await cluster.kubectl([
    ...[...verb, "deployment/echo", "--namespace", namespace, ...rest],
  ]);
  assert.equal(code, 0, stderr);
  await cluster.rolledOut("deployment/echo", { namespace });
}

/**
 * Until former pods have ended. Kubelet ends them after their grace, 5 s, and with them requests that wait for a manager
 * that is away.
 */
async function podsGone(cluster: Cluster, namespace: string): Promise<void> {
  await waitFor("three pods", async () => {
    const { stdout } = await cluster.kubectl([
      ...["get", "pods", "--selector=app=echo", "--output=name"],
      ...["--namespace", namespace],
    ]);
    return stdout.trim().split("\n").length === 3 || stdout;
  });
}

async function restartManager(
  cluster: Cluster,
  manager: ManagerPlace,
  how: string,
): Promise<void> {
  const pod = "traffic-manager-0";
  const life = await lifeOf(cluster, manager, pod);
  const end = ends.find(({ name }) => name === how)!;
  await end.bring(cluster, manager, pod);
  await succeeded(cluster, manager, { pod, life: life! });
}

Deno.test("two people's requests and everybody else's go where they belong, whatever is restarted", async (t) => {
  const { cluster, manager, namespace, moved } = await openPlace();
  await using _ = moved;
  await t.step(
    "rolling updates, and a manager that is told to leave",
    async () => {
      const load = { requests: 10_000, calls: 300, seconds: 60 };
      const all = await askThrough(cluster, namespace, load, async () => {
        await rollOut(cluster, namespace, ["rollout", "restart"]);
        told("echo was restarted");
        await rollOut(cluster, namespace, ["set", "env"], "MORE=1");
        told("echo was changed");
        await podsGone(cluster, namespace);
        await restartManager(cluster, manager, "is told to leave");
        told("the manager was restarted");
        await sleep(3_000);
      });
      for (const one of all) assertAllRight(one, "requests");
    },
  );
  await t.step(
    "a manager that is killed: what can be asked again is answered",
    async () => {
      // Of what can not, a client loses what is in progress.
      const load = { requests: 500, calls: 50, seconds: 15, method: "GET" };
      const [http, grpc] = await askThrough(
        cluster,
        namespace,
        load,
        async () => {
          await restartManager(cluster, manager, "is killed");
          told("the manager was killed");
          await sleep(3_000);
        },
      );
      assertAllRight(http!, "requests");
      assert.equal(grpc!.wrong, 0);
      assert.ok(grpc!.failed <= grpcWorkers, JSON.stringify(grpc));
    },
  );
});

/** How it ended, who won, and what the other was told. */
async function race(one: Colleague, other: Colleague): Promise<Colleague> {
  const mine = [...both, "--http-header", "x-user=both"];
  const people = [one, other];
  const ended = await Promise.all(
    people.map(({ tp }) => tp.run(["intercept", "echo", ...mine])),
  );
  const all = JSON.stringify(ended, null, 1);
  const at = ended.findIndex(({ code }) => code === 0);
  const [winner, loser] = [people[at]!, ended[1 - at]!];
  assert.equal(loser.code, 1, all);
  assert.ok(loser.stderr.includes(`by ${winner.name} (`), all);
  return winner;
}

Deno.test("of several who want the same requests one has them, the others are told who, and come after", async () => {
  const { cluster, namespace, a, b, place, moved } = await openPlace();
  await using _ = moved;
  const c = await place.join("c");
  const answeredBy = async (variant: string, who: string) => {
    const url = `http://echo.${namespace}/who`;
    const args = ["http", "-url", url, "-requests", "30", "-workers", "3"];
    const expect = { [variant]: who };
    assertAllRight(await ask(cluster, namespace, args, { expect }), variant);
  };
  const mine = ["intercept", "echo", ...both, "--http-header", "X-User=a"];
  const told = await c.tp.fails(mine);
  assert.ok(
    told.startsWith(
      'tp: Cannot intercept: port 8080 of Deployment "echo" is intercepted ' +
        `with the same match by ${a.name} (`,
    ),
    told,
  );
  await answeredBy("x-user: a", "a");
  await a.tp.ok(["leave", "echo"]);
  await answeredBy("x-user: a", "echo-*");
  await c.tp.ok(mine);
  await answeredBy("x-user: a", "c");
  assert.ok((await a.tp.fails(mine)).includes(`by ${c.name} (`));

  for (const { tp } of [b, c]) await tp.ok(["leave", "echo"]);
  for (let round = 0; round < 4; round++) {
    const winner = await race(b, c);
    await answeredBy("x-user: both", winner === b ? "b" : "c");
    await winner.tp.ok(["leave", "echo"]);
  }
});

function told(event: string): void {
  say(`${new Date().toISOString().slice(11, 23)} ${event}`);
}
