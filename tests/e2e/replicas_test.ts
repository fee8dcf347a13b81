/** A manager of two copies: a laptop uses one of them, and goes to the other when that one is lost. */
import assert from "node:assert/strict";
import { Laptop, openCluster, say, waitFor } from "../cluster/mod.ts";
import { DatabaseSession } from "../support/database_session.ts";
import { Tp } from "../support/laptop_tp.ts";
import {
  ends,
  lifeOf,
  managerState,
  stopProcess,
  succeeded,
} from "../support/manager_pods.ts";
import { type ManagerPlace, managerPlace } from "../support/manager_place.ts";

const page = "verylargejavaservice.default:8080";
const pods = ["traffic-manager-0", "traffic-manager-1"];
/** From the loss of its copy to the first answer through the other. */
const withinMs = 3_000;

/** Connects until chance has led this laptop to `pod`. */
async function connectThrough(
  tp: Tp,
  place: ManagerPlace,
  pod: string,
): Promise<AsyncDisposable> {
  await using connections = new AsyncDisposableStack();
  await waitFor(`connection through ${pod}`, async () => {
    const connection = await tp.connected([...place.flag]);
    const { pod: used } = await managerState(tp);
    if (used === pod) return !!connections.use(connection);
    await connection[Symbol.asyncDispose]();
    return `it is through ${used}`;
  });
  return connections.move();
}

async function answers(laptop: Laptop): Promise<true | string> {
  const { stdout, stderr } = await laptop.run(["curl", "-sS", "-m", "4", page]);
  return stdout.includes("EdgyCorp") || stderr;
}

Deno.test({
  name:
    "of two laptops on two copies of the manager, one notices nothing when the other's copy is lost",
  ignore: Deno.env.has("TP_TEST_KUBECONFIG"),
  fn: async (t) => {
    const cluster = await openCluster();
    await using place = await managerPlace(cluster);
    await using stack = new AsyncDisposableStack();
    const here = stack.use(await Laptop.open(cluster));
    const there = stack.use(await Laptop.open(cluster));
    const [tpHere, tpThere] = [new Tp(here), new Tp(there)];
    await tpHere.ok(["install", ...place.flag, "--replicas", "2"]);
    const objects = (await place.objects()).join("\n");
    assert.match(objects, /^PodDisruptionBudget \S+ traffic-manager$/m);

    // An upgrade keeps the number; all of them are ready when it is told so.
    await tpHere.ok(["install", ...place.flag]);
    for (const pod of pods) {
      assert.ok((await lifeOf(cluster, place, pod))?.isReady, pod);
    }

    for (const { name, bring } of ends) {
      await t.step(name, async () => {
        await using _here = await connectThrough(tpHere, place, pods[0]!);
        await using _there = await connectThrough(tpThere, place, pods[1]!);
        await using lost = await DatabaseSession.open(here);
        await using kept = await DatabaseSession.open(there);
        const backend = await kept.ask("select pg_backend_pid()");
        const before = (await managerState(tpThere)).session;
        const life = await lifeOf(cluster, place, pods[0]!);
        await bring(cluster, place, pods[0]!);
        const lostMs = performance.now();
        await waitFor("session with the other copy", async () => {
          const { pod, session } = await managerState(tpHere);
          return pod === pods[1] && session.state === "connected" || pod;
        }, { everyMs: 20 });
        assert.equal(await answers(here), true);
        const tookMs = Math.round(performance.now() - lostMs);
        say(
          `a copy of the manager ${name}: an answer through the other after ${tookMs} ms`,
        );
        assert.ok(tookMs <= withinMs, `it took ${tookMs} ms`);

        await waitFor(
          "end of what ran through the lost copy",
          () => lost.ask("select 1").then(() => "it goes on", () => true),
        );
        await succeeded(cluster, place, { pod: pods[0]!, life: life! });
        assert.equal(await kept.ask("select pg_backend_pid()"), backend);
        assert.deepEqual(
          (await managerState(tpThere)).session.since,
          before.since,
        );
        for (const laptop of [here, there]) {
          assert.equal(await answers(laptop), true);
        }
      });
    }
  },
});

/** From the silence of its copy to the first answer through the other: it may be no more than a bad way to it. */
const hangingMs = 15_000;

Deno.test({
  name:
    "a copy of the manager that hangs leaves new streams to the other, and goes on with those that it has when it wakes up",
  ignore: Deno.env.has("TP_TEST_KUBECONFIG"),
  fn: async () => {
    const cluster = await openCluster();
    await using place = await managerPlace(cluster);
    await using laptop = await Laptop.open(cluster);
    const tp = new Tp(laptop);
    await tp.ok(["install", ...place.flag, "--replicas", "2"]);
    await using _connection = await connectThrough(tp, place, pods[0]!);
    await using database = await DatabaseSession.open(laptop);
    const backend = await database.ask("select pg_backend_pid()");
    {
      await using _ = await stopProcess(cluster, place, pods[0]!);
      const stoppedMs = performance.now();
      await waitFor("session with the other copy", async () => {
        const { pod, session } = await managerState(tp);
        return pod === pods[1] && session.state === "connected" || pod;
      }, { everyMs: 50 });
      assert.equal(await answers(laptop), true);
      const tookMs = Math.round(performance.now() - stoppedMs);
      say(
        `a copy of the manager hangs: an answer through the other after ${tookMs} ms`,
      );
      assert.ok(tookMs <= hangingMs, `it took ${tookMs} ms`);
    }
    assert.equal(await database.ask("select pg_backend_pid()"), backend);
    assert.equal((await managerState(tp)).pod, pods[1]);
  },
});
