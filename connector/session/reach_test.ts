import assert from "node:assert/strict";
import { createIdentity } from "../../tunnel/mod.ts";
import { FakeCluster, FakeManager, world } from "../cluster/manager_fake.ts";
import { ConnectError } from "../failure.ts";
import { reachManager } from "./reach.ts";
import { WorldView } from "./world_view.ts";

async function reach({ mapped, isOld }: { mapped?: string[]; isOld: boolean }) {
  const manager = new FakeManager();
  manager.isOld = isOld;
  const view = new WorldView();
  await using _closed = { [Symbol.asyncDispose]: () => manager.close() };
  await using _link = await reachManager(new FakeCluster(manager).api, {
    ...{ managerNamespace: "there", mapped, view },
    identity: await createIdentity(),
    serve: (incoming) => incoming.refuse("unknown-target", "a test"),
    signal: new AbortController().signal,
  });
  return view.current;
}

Deno.test("reachManager() says of a manager that knows no single namespaces that it is too old", async () => {
  await assert.rejects(reach({ mapped: ["shop"], isOld: true }), (error) => {
    assert.ok(error instanceof ConnectError);
    assert.deepEqual(error.failure, {
      kind: "manager-incompatible",
      cause: "Cannot map single namespaces: the traffic manager in namespace " +
        '"there" is of a release that does not know how to',
    });
    return true;
  });
  assert.deepEqual(await reach({ mapped: ["shop"], isOld: false }), world);
  assert.deepEqual(await reach({ isOld: true }), world);
});
