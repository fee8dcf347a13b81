import assert from "node:assert/strict";
import type { Intercept } from "../../manager/api.ts";
import { FakeCluster, type Loss } from "./cluster_fake.ts";
import { deleteLeftObjects } from "./left_objects.ts";
import { OwnObjects } from "./own_objects.ts";
import { SessionRecords } from "./session_records.ts";

const [killed, living, own] = ["ab", "cd", "ef"].map((two) => two.repeat(32));
const server = new URL("https://one.test:6443");

/** A cluster in which two sessions have an object each, and what is asked of it. */
async function place() {
  const directory = await Deno.makeTempDir();
  const cluster = new FakeCluster();
  cluster.status = undefined;
  const { api } = cluster;
  const asked: string[] = [];
  const losses: Record<string, Loss> = {};
  const records = new SessionRecords({ server, directory });
  const signal = new AbortController().signal;
  const make = (session: string) => {
    const objects = new OwnObjects({ api, session, records });
    const made = objects.create({
      ...{ namespace: "shop", label: "c0ffee" },
      spec: {
        ...{ name: "web", owner: "anna", session, manager: "ambassador" },
        ...{ client: "anna@desk", mode: "intercept", container: "app" },
        workload: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
        ports: [],
      },
    }, { signal });
    return { objects, made };
  };
  for (const session of [killed, living]) await make(session!).made;
  cluster.loses = (verb) => {
    asked.push(verb);
    return losses[verb];
  };
  return {
    ...{ cluster, asked, losses, records, make },
    sessions: () =>
      cluster.intercepts().map((one: Intercept) => one.spec.session),
    run: (signal = new AbortController().signal) =>
      deleteLeftObjects({
        ...{ api, signal },
        // As the process does that comes after.
        records: new SessionRecords({ server, directory }),
        sessions: new Set([living!, own!]),
      }),
    [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }),
  };
}

Deno.test("deleteLeftObjects() deletes what sessions that are over have, and asks nothing when there is none", async () => {
  await using at = await place();
  await at.run();
  assert.deepEqual(at.sessions(), [living]);
  assert.deepEqual(at.asked, ["list", "delete"]);
  await at.run();
  assert.deepEqual(at.asked, ["list", "delete"]);
});

Deno.test("deleteLeftObjects() keeps in mind what it could not delete, and is no reason to fail", async () => {
  await using at = await place();
  for (const verb of ["list", "delete"]) {
    at.losses[verb] = "question";
    await at.run();
    delete at.losses[verb];
    assert.deepEqual(at.sessions(), [killed, living], verb);
  }
  await at.run();
  assert.deepEqual(at.sessions(), [living]);
});

Deno.test("deleteLeftObjects() does not hold up who has called it off", async () => {
  await using at = await place();
  const off = AbortSignal.abort(new Error("called off"));
  await assert.rejects(at.run(off), /called off/);
});

Deno.test("OwnObjects notes where objects may be from before they are made, and until none is left", async () => {
  await using at = await place();
  const noted = async () =>
    (await at.records.all()).map(({ session }) => session).sort();
  at.losses.create = "question";
  at.losses.get = "question";
  const { objects, made } = at.make(own!);
  const failing = assert.rejects(made);
  while (!at.asked.includes("create")) {
    await new Promise((resolve) => setTimeout(resolve));
  }
  assert.deepEqual(await noted(), [killed, living, own]);
  await failing;
  delete at.losses.get;
  await objects[Symbol.asyncDispose]();
  // The request may still arrive.
  assert.deepEqual(await noted(), [killed, living, own]);

  delete at.losses.create;
  const again = at.make(own!);
  await again.objects.delete(await again.made);
  await again.objects[Symbol.asyncDispose]();
  assert.deepEqual(await noted(), [killed, living]);
});
