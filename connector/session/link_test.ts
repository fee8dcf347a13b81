import assert from "node:assert/strict";
import type { Manager } from "../../manager/client.ts";
import { ConnResetError, Ip } from "../../net/mod.ts";
import { createIdentity } from "../../tunnel/mod.ts";
import { FakeCluster, FakeManager, world } from "../cluster/manager_fake.ts";
import { ManagerLink } from "./link.ts";

const identity = await createIdentity();

async function openLink(cluster: FakeCluster): Promise<ManagerLink> {
  return await ManagerLink.open({
    ...{ api: cluster.api, namespace: "there", identity },
    serve: (incoming) => incoming.refuse("unknown-target", "a test"),
    onWorld: (told) => assert.deepEqual(told, world),
  }, new AbortController());
}

const dial = (manager: Manager) => manager.dial(Ip.parse("10.0.0.1"), 80);

/** Which copy of the manager serves the streams that are opened. */
async function served(
  link: ManagerLink,
  managers: FakeManager[],
): Promise<number> {
  const before = managers.map(({ streams }) => streams.length);
  await link.use(dial);
  return managers.findIndex(({ streams }, i) => streams.length > before[i]!);
}

Deno.test("ManagerLink goes to another copy when its own leaves, and keeps the streams that it has there", async () => {
  const managers = [new FakeManager(), new FakeManager()];
  const cluster = new FakeCluster(...managers);
  await using link = await openLink(cluster);
  const stream = await link.use(dial);
  const first = managers.findIndex(({ streams }) => streams.length > 0);
  const far = managers[first]!.streams[0]!;
  assert.equal(link.status().pod, `traffic-manager-${first}`);
  managers[first]!.leave();
  // The other is asked as soon as it is known.
  assert.equal(await served(link, managers), 1 - first);
  assert.equal(link.status().pod, `traffic-manager-${1 - first}`);
  assert.equal(link.status().formerSessions, 1);
  await stream.write(new Uint8Array([7]));
  assert.equal(await far.read(new Uint8Array(9)), 1);
  await Promise.all(managers.map((one) => one.close()));
});

Deno.test("ManagerLink opens a stream once more when the session was just leaving", async () => {
  const managers = [new FakeManager(), new FakeManager()];
  const cluster = new FakeCluster(...managers);
  await using link = await openLink(cluster);
  const pod = link.status().pod;
  const first = Number(pod.at(-1));
  managers[first]!.refuse();
  await assert.rejects(link.use(dial), { refusal: "gone" });
  const isOpen = link.use((manager) => {
    // What it is told of the end arrives while the answer is on its way.
    managers[first]!.leave();
    return dial(manager);
  });
  await isOpen;
  assert.equal(managers[1 - first]!.streams.length, 1);
  await Promise.all(managers.map((one) => one.close()));
});

Deno.test("ManagerLink lets streams wait for the successor of a manager whose pod was replaced", async () => {
  const first = new FakeManager();
  const next = new FakeManager();
  const cluster = new FakeCluster(first);
  await using link = await openLink(cluster);
  const stream = await link.use(dial);
  cluster.managers[0] = undefined;
  first.die();
  await assert.rejects(stream.read(new Uint8Array(1)), ConnResetError);
  const { trouble } = link.status();
  assert.match(trouble!, /was replaced|No pod of the manager is ready/);
  const waiting = link.use(dial);
  cluster.managers[0] = next;
  await waiting;
  assert.equal(next.streams.length, 1);
  assert.equal(link.status().trouble, undefined);
  await Promise.all([first.close(), next.close()]);
});

Deno.test("ManagerLink goes on in the same session when its carrier is lost", async () => {
  const manager = new FakeManager();
  const cluster = new FakeCluster(manager);
  await using link = await openLink(cluster);
  const stream = await link.use(dial);
  manager.die();
  manager.isReady = true;
  link.wake();
  await link.use(dial);
  await stream.write(new Uint8Array([7]));
  assert.equal(await manager.streams[0]!.read(new Uint8Array(9)), 1);
  const { formerSessions, movedStreams, stats } = link.status();
  assert.equal(formerSessions, 0);
  assert.ok(movedStreams >= 1);
  assert.equal(stats.state, "connected");
  await manager.close();
});

Deno.test("ManagerLink.open() says what the first copy answered when none of them serves", async () => {
  const manager = new FakeManager();
  manager.isReady = false;
  await assert.rejects(openLink(new FakeCluster(manager)), {
    refusal: "gone",
    message: /No pod of the manager is ready/,
  });
});
