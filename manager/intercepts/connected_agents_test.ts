import assert from "node:assert/strict";
import type { Session } from "../../tunnel/mod.ts";
import type { ProvenPod } from "./agent_proof.ts";
import { ConnectedAgents } from "./connected_agents.ts";

const workload = "shop/deployment-web";
const pod: ProvenPod = {
  ...{ namespace: "shop", name: "web-1", uid: "1", workload },
  createdAt: "2026-01-01T00:00:00Z",
};

function open() {
  const changes: string[] = [];
  const closed: Session[] = [];
  const agents = new ConnectedAgents((workload) => changes.push(workload));
  return {
    ...{ agents, changes, closed },
    put() {
      const session = {
        close: () => void closed.push(session),
      } as unknown as Session;
      agents.put({ pod, session, follows: undefined });
      return session;
    },
  };
}

Deno.test("ConnectedAgents knows a pod by its last session that lives, with what was answered there", () => {
  const { agents, changes, put } = open();
  const [older, newer] = [put(), put()];
  agents.answer(pod, older, new Set(["a"]));
  agents.answer(pod, newer, new Set(["b"]));
  assert.deepEqual([...agents.ofPod("1")!.follows!], ["b"]);
  changes.length = 0;
  agents.remove(pod, newer);
  assert.deepEqual(changes, [workload]);
  assert.equal(agents.ofPod("1")?.session, older);
  assert.deepEqual([...agents.of(workload)[0]!.follows!], ["a"]);
  agents.remove(pod, older);
  assert.equal(agents.ofPod("1"), undefined);
  assert.deepEqual(agents.of(workload), []);
});

Deno.test("ConnectedAgents closes the oldest of five sessions of a pod, and hears no more of it", () => {
  const { agents, changes, closed, put } = open();
  const sessions = Array.from({ length: 5 }, put);
  assert.deepEqual(closed, [sessions[0]]);
  changes.length = 0;
  agents.answer(pod, sessions[0]!, new Set(["a"]));
  agents.remove(pod, sessions[0]!);
  assert.deepEqual(changes, []);
  assert.equal(agents.ofPod("1")?.session, sessions[4]);
});
