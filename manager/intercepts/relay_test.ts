/** Agents and laptops on both sides of the manager's doors, over flows in memory. */
import assert from "node:assert/strict";
import { Ip, writeAll } from "../../net/mod.ts";
import { soon } from "../../net/soon_fake.ts";
import { createIdentity } from "../../tunnel/mod.ts";
import {
  type AgentTarget,
  decodeLaptopTarget,
  decodePodTarget,
  encodeAgentTarget,
  encodeInterceptedTarget,
  type PodTarget,
  type PodWish,
} from "../agent_api.ts";
import type { InterceptSpec } from "../intercept.ts";
import { encodeTarget } from "../target.ts";
import { interceptOf } from "./intercept_fake.ts";
import {
  bytesOf,
  echo,
  http,
  openRelayPlace,
  openRules,
  readLine,
  readText,
  refuse,
  refusedAs,
  rule,
  turn,
} from "./relay_place_fake.ts";

const laptopTarget: AgentTarget = {
  kind: "laptop",
  intercept: "a",
  port: http,
};
const podTarget: PodTarget = { kind: "files", container: "app" };

Deno.test("an agent that does not tell the environment has 15 s, and no place afterwards", async () => {
  await using manager = openRelayPlace();
  manager.rules.set([rule]);
  const identity = await createIdentity();
  const session = identity.thumbprint;
  manager.intercepts.set("a", interceptOf({ uid: "a", session }));
  const asked = Promise.withResolvers<void>();
  const agent = await manager.agent((incoming) => {
    incoming.accept();
    asked.resolve();
  });
  await readLine(await openRules(agent, "web-1 60"));
  const laptop = await manager.laptop(refuse, identity);
  const target = encodeInterceptedTarget({
    ...{ kind: "pod", intercept: "a" },
    wanted: { kind: "environment", container: "app" },
  });
  const told = assert.rejects(
    laptop.open(new Uint8Array([6, ...target])),
    refusedAs("timeout"),
  );
  await asked.promise;
  await turn();
  manager.clock.advance(15_000);
  await soon("a refusal", told);
  await soon("the place given back", manager.relay.drain());
});

Deno.test("a laptop gets a container's environment without what an admin withholds", async () => {
  await using manager = openRelayPlace();
  manager.rules.set([rule]);
  const identity = await createIdentity();
  const session = identity.thumbprint;
  manager.intercepts.set("a", interceptOf({ uid: "a", session }));
  let said = "";
  const agent = await manager.agent(async (incoming) => {
    assert.equal(decodePodTarget(incoming.target)?.kind, "environment");
    const stream = incoming.accept();
    await writeAll(stream, bytesOf(said));
    await stream.closeWrite();
    stream.close();
  });
  await readLine(await openRules(agent, "web-1 60"));
  const laptop = await manager.laptop(refuse, identity);
  const target = encodeInterceptedTarget({
    ...{ kind: "pod", intercept: "a" },
    wanted: { kind: "environment", container: "app" },
  });
  const ask = () => laptop.open(new Uint8Array([6, ...target]));

  const mounts = [{ path: "/data", readOnly: true }];
  const environment = { COLOR: "green", DB_PASSWORD: "secret" };
  said = JSON.stringify({ environment, mounts });
  assert.deepEqual(JSON.parse(await readText(await ask())), {
    ...{ environment: { COLOR: "green" }, mounts },
    withheld: ["*_PASSWORD"],
    podIp: "10.0.0.7",
  });
  said = "no JSON";
  await assert.rejects(ask(), refusedAs("failed"));
});

Deno.test("a laptop's wish for more of the log reaches all agents of its workload, and no other's; who does not follow is told", async () => {
  await using manager = openRelayPlace();
  manager.rules.set([rule]);
  const identity = await createIdentity();
  const session = identity.thumbprint;
  manager.intercepts.set("a", interceptOf({ uid: "a", session }));
  const wish: PodTarget = { kind: "log", level: "debug", seconds: 60 };
  const asked: string[] = [];
  for (const name of ["web-1", "web-22", "web-333", "other-1"]) {
    const agent = await manager.agent((incoming) => {
      asked.push(name);
      assert.deepEqual(decodePodTarget(incoming.target), wish);
      if (name === "web-22") return refuse(incoming);
      // One that does not answer.
      if (name !== "web-333") incoming.accept().close();
    });
    await readLine(await openRules(agent, `${name} 60`));
  }
  const laptop = await manager.laptop(refuse, identity);
  const target = encodeInterceptedTarget({
    ...{ kind: "pod", intercept: "a", wanted: wish },
  });
  const told = laptop.open(new Uint8Array([6, ...target]));
  await turn();
  assert.deepEqual(asked.toSorted(), ["web-1", "web-22", "web-333"]);
  manager.clock.advance(8_000);
  const answer = await readText(await soon("an answer", told));
  assert.deepEqual(JSON.parse(answer), {
    agents: 1,
    others: { count: 2, why: "web-22: nobody listens" },
  });
  await soon("the place given back", manager.relay.drain());
  const proxied = interceptOf({ uid: "a", session, mode: "proxy-via" });
  manager.intercepts.set("a", proxied);
  const again = laptop.open(new Uint8Array([6, ...target]));
  await turn();
  manager.clock.advance(8_000);
  const { agents } = JSON.parse(await readText(await soon("another", again)));
  assert.equal(agents, 1);
});

Deno.test("what an agent opens for a laptop is joined with it: bytes with their ends, datagrams, refusals", async () => {
  await using manager = openRelayPlace();
  manager.rules.set([]);
  const identity = await createIdentity();
  const asked: unknown[] = [];
  let isServed = true;
  await manager.laptop((one) => {
    asked.push(decodeLaptopTarget(one.target));
    return isServed ? void echo(one) : refuse(one);
  }, identity);
  const udp = { port: 53, protocol: "UDP" } as const;
  const session = identity.thumbprint;
  manager.intercepts.set(
    "a",
    interceptOf({ uid: "a", session, ports: [http, udp] }),
  );
  const agent = await manager.agent();
  await readLine(await openRules(agent, "web-1 60"));
  const target = encodeAgentTarget(laptopTarget);
  const stream = await agent.open(target);
  await writeAll(stream, bytesOf("hello"));
  await stream.closeWrite();
  assert.equal(await readText(stream), "hello");
  stream.close();
  const flow = await agent.openDatagrams(
    encodeAgentTarget({ kind: "laptop", intercept: "a", port: udp }),
  );
  flow.send(bytesOf("ping"));
  assert.equal(await flow.receive(new Uint8Array(10)), 4);
  flow.close();
  isServed = false;
  await assert.rejects(agent.open(target), refusedAs("refused"));
  assert.deepEqual(asked, [
    { intercept: "a", port: http },
    { intercept: "a", port: udp },
    { intercept: "a", port: http },
  ]);
  manager.goAway();
  await assert.rejects(agent.open(target), refusedAs("gone"));
});

Deno.test("what an agent opens for a laptop that is a moment away waits for it, for 20 s", async () => {
  await using manager = openRelayPlace();
  manager.rules.set([]);
  const identity = await createIdentity();
  const session = identity.thumbprint;
  manager.intercepts.set("a", interceptOf({ uid: "a", session }));
  const agent = await manager.agent();
  await readLine(await openRules(agent, "web-1 60"));
  const target = encodeAgentTarget(laptopTarget);
  const late = assert.rejects(agent.open(target), refusedAs("gone"));
  await turn();
  manager.clock.advance(20_000);
  await late;
  const opened = agent.open(target);
  await turn();
  await manager.laptop((one) => void echo(one), identity);
  const stream = await opened;
  await writeAll(stream, bytesOf("hello"));
  await stream.closeWrite();
  assert.equal(await readText(stream), "hello");
  stream.close();
});

Deno.test("a laptop reaches the oldest pod of its workload that has an agent, and stays with it until it is deleted", async () => {
  await using manager = openRelayPlace();
  manager.rules.set([]);
  const identity = await createIdentity();
  const laptop = await manager.laptop(refuse, identity);
  const session = identity.thumbprint;
  manager.intercepts.set("a", interceptOf({ uid: "a", session }));
  const wanted = encodeInterceptedTarget({
    ...{ kind: "pod", intercept: "a", wanted: podTarget },
  });
  const target = new Uint8Array([6, ...wanted]);
  const fromPod = async () => {
    const stream = await laptop.open(target);
    const text = await readText(stream);
    stream.close();
    return text;
  };
  await assert.rejects(laptop.open(target), refusedAs("gone"));
  const pod = async (name: string) => {
    const agent = await manager.agent((one) => {
      const told = decodePodTarget(one.target);
      assert.deepEqual(told, podTarget);
      const stream = one.accept();
      void writeAll(stream, bytesOf(name)).then(() => stream.closeWrite())
        .then(() => stream.close());
    });
    await readLine(await openRules(agent, `${name} 60`));
    return agent;
  };
  const young = await pod("web-22");
  assert.equal(await fromPod(), "web-22");
  const old = await pod("web-1");
  await pod("other");
  assert.equal(await fromPod(), "web-22");
  young.close();
  await young.ended;
  await turn();
  assert.equal(await fromPod(), "web-1");
  const next = await pod("web-333");
  manager.goingPods.add("web-1");
  assert.equal(await fromPod(), "web-333");
  manager.goingPods.delete("web-1");
  assert.equal(await fromPod(), "web-333");
  manager.goingPods.add("web-1").add("web-333");
  assert.equal(await fromPod(), "web-333");
  next.close();
  await next.ended;
  await turn();
  assert.equal(await fromPod(), "web-1");
  old.close();
  await old.ended;
});

Deno.test("a laptop has a pod dial the addresses of its intercept, and no others, until that is deleted", async () => {
  await using manager = openRelayPlace();
  const { intercepts, relay } = manager;
  const identity = await createIdentity();
  const laptop = await manager.laptop(refuse, identity);
  const { thumbprint: session } = identity;
  const via: Partial<InterceptSpec> = {
    ...{ session, mode: "proxy-via", ports: [], subnets: ["10.9.0.0/16"] },
  };
  intercepts.set("a", interceptOf({ uid: "a", ...via }));
  intercepts.set("b", interceptOf({ uid: "b", session }));
  intercepts.set("c", interceptOf({ uid: "c", ...via, session: "other" }));
  manager.rules.set([]);
  const told: unknown[] = [];
  const agent = await manager.agent((one) => {
    told.push(decodePodTarget(one.target));
    void echo(one);
  });
  await readLine(await openRules(agent, "web-1 60"));
  const ask = (intercept: string, ip: string, wanted?: PodWish) =>
    laptop.open(encodeTarget({
      ...{ kind: "pod", intercept },
      wanted: wanted ?? { kind: "address", ip: Ip.parse(ip), port: http },
    }));
  const forbidden: Parameters<typeof ask>[] = [
    ["a", "10.10.0.1"], // another address
    ["a", "", podTarget], // nothing else is this intercept for
    ["a", "", { kind: "loopback", port: http }],
    ["b", "10.9.0.1"], // an intercept of another mode
    ["c", "10.9.0.1"], // another laptop's
    ["d", "10.9.0.1"], // no intercept
  ];
  for (const args of forbidden) {
    await assert.rejects(ask(...args), refusedAs("forbidden"));
  }
  assert.deepEqual(told, []);
  const stream = await ask("a", "10.9.0.1");
  await writeAll(stream, bytesOf("x"));
  assert.equal(await stream.read(new Uint8Array(1)), 1);
  const ip = Ip.parse("10.9.0.1");
  assert.deepEqual(told, [{ kind: "address", ip, port: http, intercept: "a" }]);
  relay.end("b");
  await writeAll(stream, bytesOf("y"));
  assert.equal(await stream.read(new Uint8Array(1)), 1);
  intercepts.delete("a");
  relay.end("a");
  const ended = soon("the end", stream.read(new Uint8Array(1)));
  await assert.rejects(ended, { name: "ConnResetError" });
});

Deno.test("a pod that knows of an intercept dials rather than one that has just come", async () => {
  await using manager = openRelayPlace();
  const { rules, agents, intercepts } = manager;
  const identity = await createIdentity();
  const laptop = await manager.laptop(refuse, identity);
  const { thumbprint: session } = identity;
  const spec = {
    session,
    mode: "proxy-via",
    subnets: ["10.9.0.0/16"],
  } as const;
  intercepts.set("a", interceptOf({ uid: "a", ...spec, ports: [] }));
  rules.set([{ ...rule, mode: "proxy-via", ports: [] }]);
  const asked: string[] = [];
  const pod = async (name: string, { isTold }: { isTold: boolean }) => {
    const agent = await manager.agent((one) => {
      asked.push(name);
      refuse(one);
    });
    const stream = await openRules(agent, `${name} 60`);
    await readLine(stream);
    if (isTold) await writeAll(stream, bytesOf("1\n"));
    await turn();
  };
  await pod("web-1", { isTold: false });
  await pod("web-22", { isTold: true });
  assert.ok(agents.ofPod("uid-web-22")!.follows!.has("a"));
  const wanted = {
    kind: "address",
    ip: Ip.parse("10.9.0.1"),
    port: http,
  } as const;
  const target = encodeTarget({ kind: "pod", intercept: "a", wanted });
  await assert.rejects(laptop.open(target), refusedAs("refused"));
  assert.deepEqual(asked, ["web-22"]);
});
