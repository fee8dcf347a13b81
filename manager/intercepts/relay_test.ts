/** Agents and laptops on both sides of the manager's doors, over flows in memory. */
import assert from "node:assert/strict";
import {
  type Conn,
  connPair,
  type Refusal,
  RefusedError,
  Slots,
  writeAll,
} from "../../net/mod.ts";
import { FakeClock } from "../../net/clock_fake.ts";
import {
  Acceptor,
  createIdentity,
  dialSession,
  type Identity,
  type Incoming,
  type Session,
} from "../../tunnel/mod.ts";
import {
  type AgentTarget,
  decodeLaptopTarget,
  decodePodTarget,
  encodeAgentTarget,
  encodeInterceptedTarget,
  encodePodTarget,
  type PodTarget,
  type Rule,
  type Rules,
} from "../agent_api.ts";
import { ClusterDns } from "../cluster_dns.ts";
import { Feed } from "../feed.ts";
import type { Intercept } from "../intercept.ts";
import { Service } from "../service.ts";
import { encodeTarget } from "../target.ts";
import { Ip } from "../../net/mod.ts";
import { AgentSession } from "./agent_session.ts";
import { ConnectedAgents } from "./connected_agents.ts";
import { interceptOf } from "./intercept_fake.ts";
import { Laptops } from "./laptops.ts";
import { Relay } from "./relay.ts";

const http = { port: 8080, protocol: "TCP" } as const;
const start = Date.parse("2026-01-01T00:00:00Z");
const product = "tp/test";
const rule: Rule = {
  ...{ id: "a", name: "a", owner: "o", mode: "intercept" },
  ...{ ports: [http], manager: "m-0" },
};

/** A token is what it proves: `POD EXPIRY`. The pod's first letter is its workload's. */
function prove(token: string) {
  const [name = "", seconds] = token.split(" ");
  if (!seconds) throw new RefusedError("forbidden", "a test");
  const workload = `shop/deployment-${name[0]}eb`;
  const pod = {
    ...{ namespace: "shop", name, uid: `uid-${name}`, workload },
    createdAt: `2026-01-01T00:00:0${name.length}Z`,
  };
  return Promise.resolve({ pod, expiresAt: start + Number(seconds) * 1000 });
}

function open() {
  const clock = new FakeClock();
  const laptops = new Laptops(clock);
  const agents = new ConnectedAgents(() => {});
  const intercepts = new Map<string, Intercept>();
  let isPresent = true;
  const relay = new Relay({
    ...{ laptops, agents, isPresent: () => isPresent },
    isInForce: () => isPresent,
    findIntercept: (uid) => intercepts.get(uid),
  });
  const rules = new Feed<readonly Rule[]>();
  const leaving = new AbortController();
  const service = new Service({
    dns: new ClusterDns({ nameserver: Ip.parse("127.0.0.1"), clock }),
    ...{ world: new Feed(), whyForbidden: () => "a test", clock },
    servePod: (...all) => relay.servePod(...all),
  });
  const proofs = new Slots(8);
  const welcomeAgent = (session: Session) => {
    const agent = new AgentSession({
      ...{ session, manager: "m-0", prove, proofs, agents, clock },
      ...{ rulesOf: () => rules, leaving: leaving.signal },
      serveLaptop: (...all) => relay.serveLaptop(...all),
      wallNow: () => start + clock.now(),
    });
    return (one: Incoming) => agent.serve(one);
  };
  const welcomeLaptop = (session: Session) => {
    laptops.add(session);
    return (one: Incoming) => service.serve(one, session);
  };
  const closing: (() => Promise<unknown>)[] = [];
  const dial = async (
    welcome: typeof welcomeAgent,
    serve: (one: Incoming) => void,
    identity?: Identity,
  ): Promise<Session> => {
    const limits = { graceMs: 0, longWayMs: 0 };
    const acceptor = new Acceptor({ product, limits, onSession: welcome });
    const [near, far] = connPair({ bufferBytes: 1024 * 1024 });
    const taken = acceptor.take(far);
    const session = await dialSession({
      ...{ product, limits, serve, dial: () => Promise.resolve(near) },
      identity: identity ?? await createIdentity(),
    });
    closing.push(async () => {
      session.close();
      await Promise.all([session.ended, taken]);
      await acceptor.close();
    });
    return session;
  };
  return {
    ...{ clock, laptops, agents, intercepts, relay, rules, leaving },
    goAway() {
      isPresent = false;
    },
    agent: (serve: (one: Incoming) => void = refuse) =>
      dial(welcomeAgent, serve),
    laptop: (serve: (one: Incoming) => void = refuse, identity?: Identity) =>
      dial(welcomeLaptop, serve, identity),
    async [Symbol.asyncDispose]() {
      leaving.abort();
      await Promise.all(closing.map((close) => close()));
      await service.drain();
      await relay.drain();
    },
  };
}

function refuse(incoming: Incoming): void {
  incoming.refuse("refused", "nobody listens");
}

/** Says back what it is asked, by bytes or datagrams. */
async function echo(incoming: Incoming): Promise<void> {
  const into = new Uint8Array(4096);
  if (incoming.datagrams) {
    const flow = incoming.acceptDatagrams();
    const length = await flow.receive(into);
    if (length !== null) flow.send(into.subarray(0, length));
    await flow.receive(into);
    return;
  }
  const stream = incoming.accept();
  for (;;) {
    const read = await stream.read(into).catch(() => null);
    if (read === null) break;
    await writeAll(stream, into.subarray(0, read));
  }
  await stream.closeWrite().catch(() => {});
  stream.close();
}

async function readLine<T>(stream: Conn): Promise<T> {
  let text = "";
  const into = new Uint8Array(4096);
  while (!text.endsWith("\n")) {
    const read = await stream.read(into);
    assert.ok(read !== null, `the end after "${text}"`);
    text += new TextDecoder().decode(into.subarray(0, read));
  }
  return JSON.parse(text);
}

async function readText(stream: Conn): Promise<string> {
  let text = "";
  const into = new Uint8Array(4096);
  for (;;) {
    const read = await stream.read(into);
    if (read === null) return text;
    text += new TextDecoder().decode(into.subarray(0, read));
  }
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function openRules(agent: Session, token: string): Promise<Conn> {
  return agent.open(encodeAgentTarget({ kind: "rules", token }));
}

async function turn(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((done) => setTimeout(done));
}

function refusedAs(refusal: Refusal) {
  return (error: unknown) =>
    error instanceof RefusedError && error.refusal === refusal;
}

Deno.test("an agent gets its workload's rules, and what it answers is known", async () => {
  await using manager = open();
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

Deno.test("an agent's session ends with its token, unless that is renewed", async () => {
  await using manager = open();
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
  await using manager = open();
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

const laptopTarget: AgentTarget = {
  kind: "laptop",
  intercept: "a",
  port: http,
};
const podTarget: PodTarget = { kind: "environment", container: "app" };
const atAgentDoor: {
  what: string;
  token?: string;
  target: Uint8Array;
  datagrams?: boolean;
  refusal: Refusal;
}[] = [
  {
    what: "before rules",
    target: encodeAgentTarget(laptopTarget),
    refusal: "forbidden",
  },
  {
    what: "rules with a token that proves nothing",
    target: encodeAgentTarget({ kind: "rules", token: "web-1" }),
    refusal: "forbidden",
  },
  { what: "nothing", target: new Uint8Array(), refusal: "forbidden" },
  {
    what: "rules as datagrams",
    target: encodeAgentTarget({ kind: "rules", token: "web-1 60" }),
    datagrams: true,
    refusal: "forbidden",
  },
  {
    what: "an address, as laptops ask",
    token: "web-1 60",
    target: encodeTarget({ kind: "tcp", ip: Ip.parse("10.0.0.1"), port: 80 }),
    refusal: "unknown-target",
  },
  {
    what: "the view of the cluster, as laptops ask",
    token: "web-1 60",
    target: encodeTarget({ kind: "world" }),
    refusal: "unknown-target",
  },
  {
    what: "a pod, as the manager asks",
    token: "web-1 60",
    target: encodePodTarget(podTarget),
    refusal: "unknown-target",
  },
  {
    what: "all that a target may be, of nothing",
    token: "web-1 60",
    target: new Uint8Array(16_384).fill(0x7b),
    refusal: "unknown-target",
  },
  {
    what: "an intercept that there is not",
    token: "web-1 60",
    target: encodeAgentTarget({ ...laptopTarget, intercept: "b" }),
    refusal: "forbidden",
  },
  {
    what: "an intercept of another workload",
    token: "other 60",
    target: encodeAgentTarget(laptopTarget),
    refusal: "forbidden",
  },
  {
    what: "a port that is not intercepted",
    token: "web-1 60",
    target: encodeAgentTarget({ ...laptopTarget, port: { ...http, port: 22 } }),
    refusal: "forbidden",
  },
];
for (const { what, token, target, datagrams, refusal } of atAgentDoor) {
  Deno.test(`the agents' door: ${what}: ${refusal}`, async () => {
    await using manager = open();
    manager.rules.set([]);
    const laptop = await manager.laptop((one) => void echo(one));
    manager.intercepts.set("a", interceptOf({ uid: "a" }));
    const agent = await manager.agent();
    if (token) await readLine(await openRules(agent, token));
    await assert.rejects(
      datagrams ? agent.openDatagrams(target) : agent.open(target),
      refusedAs(refusal),
    );
    assert.equal(laptop.stats().streams, 0);
  });
}

Deno.test("what an agent opens for a laptop is joined with it: bytes with their ends, datagrams, refusals", async () => {
  await using manager = open();
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
  await using manager = open();
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

Deno.test("a laptop reaches the oldest pod of its workload that has an agent, and stays with it", async () => {
  await using manager = open();
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
  old.close();
  await old.ended;
});

const atLaptopDoor: {
  what: string;
  target: Uint8Array;
  refusal: Refusal;
}[] = [
  {
    what: "rules, as agents ask",
    target: encodeAgentTarget({ kind: "rules", token: "web-1 60" }),
    refusal: "unknown-target",
  },
  {
    what: "a laptop, as agents ask",
    target: encodeAgentTarget(laptopTarget),
    refusal: "unknown-target",
  },
  {
    what: "another laptop's intercept",
    target: encodeTarget({ kind: "pod", intercept: "a", wanted: podTarget }),
    refusal: "forbidden",
  },
  {
    what: "an intercept that there is not",
    target: encodeTarget({ kind: "pod", intercept: "b", wanted: podTarget }),
    refusal: "forbidden",
  },
  {
    what: "a pod's UDP port as bytes",
    target: encodeTarget({
      ...{ kind: "pod", intercept: "a" },
      wanted: { kind: "loopback", port: { port: 53, protocol: "UDP" } },
    }),
    refusal: "unknown-target",
  },
];
for (const { what, target, refusal } of atLaptopDoor) {
  Deno.test(`the laptops' door: ${what}: ${refusal}`, async () => {
    await using manager = open();
    manager.rules.set([]);
    const agent = await manager.agent((one) => void echo(one));
    await readLine(await openRules(agent, "web-1 60"));
    manager.intercepts.set("a", interceptOf({ uid: "a" }));
    const laptop = await manager.laptop();
    await assert.rejects(laptop.open(target), refusedAs(refusal));
    assert.equal(agent.stats().streams, 1);
  });
}
