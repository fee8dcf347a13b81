/** Agents at the manager's door, over flows in memory: who they say they are, and for how long. */
import assert from "node:assert/strict";
import { writeAll } from "../../net/mod.ts";
import { soon } from "../../net/soon_fake.ts";
import { encodeAgentTarget, type Rules } from "../agent_api.ts";
import {
  bytesOf,
  http,
  openRelayPlace,
  openRules,
  readLine,
  refusedAs,
  rule,
  turn,
} from "./relay_place_fake.ts";

Deno.test("an agent gets its workload's rules, and what it answers is known", async () => {
  await using manager = openRelayPlace();
  const { rules, agents } = manager;
  const agent = await manager.agent();
  rules.set([]);
  const stream = await openRules(agent, "web-1 60");
  const empty: Rules = { version: 1, manager: "m-0", rules: [] };
  assert.deepEqual(await readLine<Rules>(stream), empty);
  assert.equal(agents.ofPod("uid-web-1")?.follows, undefined);
  rules.set([rule]);
  assert.deepEqual(await readLine<Rules>(stream), {
    ...{ version: 2, manager: "m-0", rules: [rule] },
  });
  await writeAll(stream, bytesOf("1\n2\n"));
  await turn();
  assert.deepEqual([...agents.ofPod("uid-web-1")!.follows!], ["a"]);
  assert.deepEqual(agents.of("shop/deployment-web").length, 1);
  manager.leaving.abort();
  assert.equal(await stream.read(new Uint8Array(1)), null);
  await assert.rejects(openRules(agent, "web-1 60"), refusedAs("gone"));
  agent.close();
  await agent.ended;
  await turn();
  assert.equal(agents.ofPod("uid-web-1"), undefined);
});

Deno.test("an agent is told whom to trust when it begins to listen, and again with each token", async () => {
  await using manager = openRelayPlace();
  const { rules } = manager;
  const agent = await manager.agent();
  manager.trust("the present and the next");
  rules.set([]);
  const first = await openRules(agent, "web-1 60");
  const { authorities } = await readLine<Rules>(first);
  assert.equal(authorities, "the present and the next");
  rules.set([rule]);
  assert.ok(!("authorities" in await readLine<Rules>(first)));
  manager.trust("the next and one more");
  const second = await openRules(agent, "web-1 120");
  assert.equal(
    (await readLine<Rules>(second)).authorities,
    "the next and one more",
  );
});

Deno.test("an agent's session ends with its token, unless that is renewed", async () => {
  await using manager = openRelayPlace();
  manager.rules.set([]);
  const { clock } = manager;
  const agent = await manager.agent();
  const first = await openRules(agent, "web-1 60");
  await readLine(first);
  clock.advance(50_000);
  const second = await openRules(agent, "web-1 120");
  await readLine(second);
  assert.equal(await first.read(new Uint8Array(1)), null);
  await assert.rejects(openRules(agent, "web-2 120"), refusedAs("forbidden"));
  clock.advance(60_000);
  await turn();
  assert.equal(agent.stats().state, "connected");
  clock.advance(10_000);
  assert.equal((await agent.ended).reason, "peer-closed");
});

Deno.test("an agent that does not say who it is has 10 s", async () => {
  await using manager = openRelayPlace();
  const agent = await manager.agent();
  const laptop = encodeAgentTarget({
    kind: "laptop",
    intercept: "a",
    port: http,
  });
  await assert.rejects(agent.open(laptop), refusedAs("forbidden"));
  manager.clock.advance(10_000);
  assert.equal((await agent.ended).reason, "peer-closed");
});

Deno.test("an agent's token is looked at one at a time; one that proves nothing is the last, and ends the session", async () => {
  await using manager = openRelayPlace();
  manager.rules.set([]);
  const { promise, resolve } = Promise.withResolvers<void>();
  manager.proveAfter(promise);
  const agent = await manager.agent();
  const first = openRules(agent, "nothing");
  first.catch(() => {});
  await turn();
  await assert.rejects(
    soon("a refusal of the second", openRules(agent, "web-1 60")),
    refusedAs("overloaded"),
  );
  resolve();
  await assert.rejects(first, refusedAs("forbidden"));
  await assert.rejects(openRules(agent, "web-1 60"), refusedAs("forbidden"));
  manager.clock.advance(1_000);
  const { reason } = await soon("the session's end", agent.ended);
  assert.equal(reason, "peer-closed");
});

Deno.test("a manager that leaves while a token is looked at tells no rules, and knows no agent", async () => {
  await using manager = openRelayPlace();
  manager.rules.set([]);
  const { promise, resolve } = Promise.withResolvers<void>();
  manager.proveAfter(promise);
  const agent = await manager.agent();
  const opened = assert.rejects(
    openRules(agent, "web-1 60"),
    refusedAs("gone"),
  );
  await turn();
  manager.leaving.abort();
  resolve();
  await opened;
  assert.equal(manager.agents.ofPod("uid-web-1"), undefined);
});

Deno.test("an agent whose session ends while its token is looked at leaves nothing behind", async () => {
  await using manager = openRelayPlace();
  manager.rules.set([]);
  const { promise, resolve } = Promise.withResolvers<void>();
  manager.proveAfter(promise);
  const agent = await manager.agent();
  const opened = assert.rejects(openRules(agent, "web-1 60"));
  await turn();
  agent.close();
  await agent.ended;
  await opened;
  await turn();
  resolve();
  await turn();
  assert.equal(manager.agents.ofPod("uid-web-1"), undefined);
  assert.equal(manager.clock.waiting, 0);
});

Deno.test("a pod has four sessions at most: a fifth ends the oldest", async () => {
  await using manager = openRelayPlace();
  manager.rules.set([]);
  const sessions = [];
  for (let i = 0; i < 5; i++) {
    const agent = await manager.agent();
    await readLine(await openRules(agent, "web-1 60"));
    sessions.push(agent);
  }
  const { reason } = await soon("the oldest's end", sessions[0]!.ended);
  assert.equal(reason, "peer-closed");
  await turn();
  for (const agent of sessions.slice(1)) {
    assert.equal(agent.stats().state, "connected");
  }
});
