/** The manager's pod is replaced: what ran through it ends, what is new works at once, names too. */
import assert from "node:assert/strict";
import { Laptop, openCluster, say, waitFor } from "../cluster/mod.ts";
import { DatabaseSession } from "../support/database_session.ts";
import { evict } from "../support/eviction.ts";
import { Tp } from "../support/laptop_tp.ts";
import {
  type End,
  ends,
  lifeOf,
  managerState,
  succeeded,
} from "../support/manager_pods.ts";
import { managerPlace } from "../support/manager_place.ts";

const page = "verylargejavaservice.default:8080";
const pod = "traffic-manager-0";
/** From the new pod's being ready to the first answer through it. */
const withinMs = 3_000;

const all: End[] = [...ends, {
  name: "is replaced by a rollout",
  async bring({ kubectl }, { namespace }) {
    const set = ["statefulset/traffic-manager", "--namespace", namespace];
    const { code, stderr } = await kubectl(["rollout", "restart", ...set]);
    assert.equal(code, 0, stderr);
  },
}, {
  name: "is evicted, as by a drain of its node",
  bring: (cluster, { namespace }, pod) => evict(cluster, { namespace, pod }),
}];

Deno.test({
  name:
    "after the manager's process was replaced, services and names answer within 3 s of the new one's being ready",
  ignore: Deno.env.has("TP_TEST_KUBECONFIG"),
  fn: async (t) => {
    const cluster = await openCluster();
    await using laptop = await Laptop.open(cluster);
    await using place = await managerPlace(cluster);
    const tp = new Tp(laptop);
    await using _ = await tp.connected([...place.flag]);
    let formerSessions = 0;
    for (const { name, bring } of all) {
      await t.step(name, async () => {
        await using database = await DatabaseSession.open(laptop);
        const life = await lifeOf(cluster, place, pod);
        await bring(cluster, place, pod);
        await waitFor("word of the lost session", async () => {
          const { session } = await managerState(tp);
          return session.state === "waiting" && session.reason !== "" ||
            session.former_sessions > formerSessions || session.state;
        }, { everyMs: 20 });
        await succeeded(cluster, place, { pod, life: life! });
        const readyMs = performance.now();
        await waitFor("answer", async () => {
          const { stdout, stderr } = await laptop.run(
            ["curl", "-sS", "-m", "4", page],
          );
          return stdout.includes("EdgyCorp") || stderr;
        }, { timeoutMs: 20_000, everyMs: 20 });
        const tookMs = Math.round(performance.now() - readyMs);
        say(
          `the manager ${name}: an answer by name ${tookMs} ms after the next is ready`,
        );
        assert.ok(tookMs <= withinMs, `it took ${tookMs} ms`);
        await waitFor(
          "end of what ran through the process",
          () => database.ask("select 1").then(() => "it goes on", () => true),
        );
        const { session } = await managerState(tp);
        assert.equal(session.state, "connected");
        formerSessions = session.former_sessions;
      });
    }
  },
});
