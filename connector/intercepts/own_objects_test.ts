import assert from "node:assert/strict";
import type { Intercept } from "../../manager/api.ts";
import { FakeClock } from "../../net/clock_fake.ts";
import { FakeCluster, type Loss } from "./cluster_fake.ts";
import { type ObjectPlace, OwnObjects } from "./own_objects.ts";

const session = "ab".repeat(32);
const label = "c0ffee";

function place() {
  const cluster = new FakeCluster();
  cluster.status = undefined;
  const clock = new FakeClock();
  const { api } = cluster;
  const asked: string[] = [];
  /** Loses, by verb, so many questions or answers. */
  const lose = (loss: Loss, counts: Record<string, number>) => {
    cluster.loses = (verb) => {
      asked.push(verb);
      const left = counts[verb] ?? 0;
      counts[verb] = left - 1;
      return left > 0 ? loss : undefined;
    };
  };
  lose("question", {});
  const objects = new OwnObjects({ api, session, clock });
  return { cluster, clock, objects, asked, lose };
}

function wanted(name: string): ObjectPlace {
  return {
    ...{ namespace: "orders", label },
    spec: {
      ...{ name, owner: "anna", session, manager: "ambassador" },
      ...{ client: "anna@desk", mode: "intercept", container: "app" },
      workload: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      ports: [],
    },
  };
}

const quiet = () => ({ signal: new AbortController().signal });
const settle = () => new Promise((resolve) => setTimeout(resolve));
const uidsOf = (all: readonly Intercept[]) =>
  all.map(({ metadata }) => metadata.uid);

/** Moves time while what is asked of the cluster is answered. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 500) {
    clock.advance(500);
    await settle();
  }
}

Deno.test("OwnObjects.create() finds what it has made when the answer is lost", async () => {
  const { cluster, objects, asked, lose } = place();
  lose("answer", { create: 1 });
  const object = await objects.create(wanted("web"), quiet());
  assert.deepEqual(uidsOf(cluster.intercepts()), [object.metadata.uid]);
  assert.deepEqual(asked, ["create", "get"]);
});

Deno.test("OwnObjects.create() asks again when the API server has not heard it", async () => {
  const { cluster, clock, objects, lose } = place();
  lose("question", { create: 2 });
  const making = objects.create(wanted("web"), quiet());
  await pass(clock, 2_000);
  const object = await making;
  assert.deepEqual(uidsOf(cluster.intercepts()), [object.metadata.uid]);
  lose("question", { create: 3 });
  const failing = assert.rejects(
    objects.create(wanted("other"), quiet()),
    { name: "ApiUnreachableError" },
  );
  await pass(clock, 2_000);
  await failing;
  await objects[Symbol.asyncDispose]();
});

Deno.test("OwnObjects.create() puts its own in the place of one that nobody wants", async () => {
  const { cluster, clock, objects, lose } = place();
  const first = await objects.create(wanted("web"), quiet());
  lose("question", { delete: 1 });
  await objects.delete(first);
  const second = await objects.create(wanted("web"), quiet());
  assert.notEqual(second.metadata.uid, first.metadata.uid);
  await pass(clock, 1_000);
  assert.deepEqual(uidsOf(cluster.intercepts()), [second.metadata.uid]);
  await objects[Symbol.asyncDispose]();
});

Deno.test("OwnObjects.create() leaves another's of the same name alone", async () => {
  const { cluster, objects } = place();
  const other = await objects.create(wanted("web"), quiet());
  other.spec = { ...other.spec, session: "cd".repeat(32) };
  await assert.rejects(objects.create(wanted("web"), quiet()), /Cannot/);
  assert.deepEqual(cluster.deleted, []);
});

Deno.test("OwnObjects deletes what may have come about after all, and nothing else of that name", async () => {
  const { cluster, clock, objects, lose } = place();
  lose("answer", { create: 1, get: 2 });
  await assert.rejects(objects.create(wanted("web"), quiet()), {
    name: "ApiUnreachableError",
  });
  const lost = cluster.intercepts()[0]!;
  await pass(clock, 2_000);
  assert.deepEqual(cluster.deleted, [lost.metadata.name]);

  // The same, and another one has been asked for meanwhile.
  lose("answer", { create: 1, get: 1 });
  await assert.rejects(objects.create(wanted("web"), quiet()));
  const kept = await objects.create(wanted("web"), quiet());
  await pass(clock, 60_000);
  assert.deepEqual(uidsOf(cluster.intercepts()), [kept.metadata.uid]);
});

Deno.test("OwnObjects deletes what was called off while it was made", async () => {
  const { cluster, clock, objects } = place();
  const abort = new AbortController();
  cluster.loses = (verb) => {
    if (verb === "create") abort.abort(new Error("called off"));
    return verb === "create" ? "answer" : undefined;
  };
  await assert.rejects(objects.create(wanted("web"), abort), /called off/);
  assert.equal(cluster.intercepts().length, 1);
  await pass(clock, 1_000);
  assert.deepEqual(cluster.intercepts(), []);
});

Deno.test("OwnObjects.delete() that fails is tried again, ever more seldom", async () => {
  const { cluster, clock, objects, asked, lose } = place();
  const object = await objects.create(wanted("web"), quiet());
  lose("question", { delete: 12 });
  asked.length = 0;
  await objects.delete(object);
  assert.equal(cluster.intercepts().length, 1);
  await pass(clock, 4_000);
  assert.equal(asked.length, 4);
  await pass(clock, 180_000);
  assert.equal(asked.length, 12);
  await pass(clock, 30_000);
  assert.deepEqual(cluster.intercepts(), []);
  await pass(clock, 60_000);
  assert.equal(asked.length, 13);
});

Deno.test("OwnObjects tries to delete what is left once more when the connection ends", async () => {
  for (const [losses, left] of [[1, 0], [2, 1]] as const) {
    const { cluster, objects, asked, lose } = place();
    const object = await objects.create(wanted("web"), quiet());
    lose("question", { delete: losses });
    asked.length = 0;
    await objects.delete(object);
    await objects[Symbol.asyncDispose]();
    assert.equal(cluster.intercepts().length, left);
    assert.deepEqual(asked, ["delete", "delete"]);
  }
});

Deno.test("OwnObjects.deleteLeftovers() keeps what is wanted, from before it is made, and deletes all else", async () => {
  const { cluster, clock, objects, lose } = place();
  const kept = await objects.create(wanted("kept"), quiet());
  const stray = { ...kept, metadata: { ...kept.metadata } };
  stray.metadata = { ...stray.metadata, name: "stray", uid: "s" };
  stray.metadata.annotations = {};
  cluster.put("intercepts", stray);
  const bare = { ...kept, metadata: { ...kept.metadata, annotations: {} } };
  cluster.put("intercepts", bare);
  const left = await objects.create(wanted("left"), quiet());
  lose("question", { delete: 1 });
  await objects.delete(left);
  // There, but the answer is not.
  lose("answer", { create: 1 });
  const making = objects.create(wanted("making"), quiet());
  await objects.deleteLeftovers({ namespace: "orders", label }, quiet());
  const made = await making;
  assert.deepEqual(
    uidsOf(cluster.intercepts()),
    [kept.metadata.uid, made.metadata.uid],
  );
  await pass(clock, 1_000);
});

Deno.test("OwnObjects.deleteLeftovers() spares what another connection of this laptop has, as long as there is one", async () => {
  const { cluster } = place();
  const sessions = new Set([session, "cd".repeat(32)]);
  const objects = new OwnObjects({
    ...{ api: cluster.api, session, sessions, clock: new FakeClock() },
  });
  const others = new OwnObjects({
    ...{ api: cluster.api, session: "cd".repeat(32), clock: new FakeClock() },
  });
  const { spec, ...more } = wanted("theirs");
  const theirs = await others.create(
    { ...more, spec: { ...spec, session: "cd".repeat(32) } },
    quiet(),
  );
  const own = await objects.create(wanted("own"), quiet());
  cluster.put("intercepts", {
    ...own,
    metadata: { ...own.metadata, name: "stray", uid: "s", annotations: {} },
  });
  const leftovers = { namespace: "orders", label };
  await objects.deleteLeftovers(leftovers, quiet());
  const uids = () => uidsOf(cluster.intercepts()).sort();
  const both = [theirs.metadata.uid, own.metadata.uid].sort();
  assert.deepEqual(uids(), both);
  sessions.delete("cd".repeat(32));
  await objects.deleteLeftovers(leftovers, quiet());
  assert.deepEqual(uids(), [own.metadata.uid]);
});

Deno.test("OwnObjects.deleteLeftovers() does not hold up who has called it off, and is no reason to fail", async () => {
  const { objects, lose } = place();
  lose("question", { list: 2 });
  const leftovers = { namespace: "orders", label };
  await objects.deleteLeftovers(leftovers, quiet());
  const signal = AbortSignal.abort(new Error("called off"));
  await assert.rejects(
    objects.deleteLeftovers(leftovers, { signal }),
    /called off/,
  );
});
