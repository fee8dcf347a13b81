/** An agent, a manager and a laptop, as they are, on flows in memory: only Kubernetes is missing. */
import assert from "node:assert/strict";
import { openAgent, openApp } from "../agent/agent_fake.ts";
import { PodService } from "../agent/pod_service.ts";
import {
  decodeInterceptedTarget,
  decodeLaptopTarget,
  encodeInterceptedTarget,
  type PodPort,
  type Rule,
} from "../manager/api.ts";
import { type KubernetesObject, resources } from "../k8s/mod.ts";
import { Feed } from "../manager/feed.ts";
import { AgentSession } from "../manager/intercepts/agent_session.ts";
import { logger } from "../log.ts";
import { BoundedLog } from "../manager/bounded_log.ts";
import { ConnectedAgents } from "../manager/intercepts/connected_agents.ts";
import { FakeCluster } from "../manager/intercepts/cluster_fake.ts";
import { interceptOf } from "../manager/intercepts/intercept_fake.ts";
import { Laptops } from "../manager/intercepts/laptops.ts";
import { ProofGate } from "../manager/intercepts/proof_gate.ts";
import { Refusals } from "../manager/intercepts/refusals.ts";
import { Relay } from "../manager/intercepts/relay.ts";
import { FakeClock } from "../net/clock_fake.ts";
import { type Conn, connPair, writeAll } from "../net/mod.ts";
import {
  Acceptor,
  createIdentity,
  dialSession,
  type Incoming,
  type Session,
} from "../tunnel/mod.ts";
import { bytesOf, readAll, textOf, until } from "../tunnel/session_fake.ts";
import { WithheldNames } from "../manager/intercepts/withheld_names.ts";

const product = "tp/test";
const workload = "shop/deployment-web";
const pod = {
  ...{ namespace: "shop", name: "web-1", uid: "uid-web-1", workload },
  createdAt: "2026-01-01T00:00:00Z",
};
const identity = await createIdentity();
const tokenMs = 90_000;

/** Says who it is, then what it hears, until its peer ends. */
async function answerAs(name: string, conn: Conn): Promise<void> {
  const heard = textOf(await readAll(conn).catch(() => new Uint8Array()));
  await writeAll(conn, bytesOf(`${name}:${heard}`)).catch(() => {});
  conn.close();
}

/** What a manager is to agents and laptops. */
function openManager(clock: FakeClock, port: PodPort) {
  const laptops = new Laptops(clock);
  const agents = new ConnectedAgents(() => {});
  const intercept = interceptOf({
    ...{ uid: "a", session: identity.thumbprint, ports: [port] },
  });
  const relay = new Relay({
    ...{ laptops, agents, isPresent: () => true, clock },
    isInForce: () => true,
    isStaying: () => true,
    ipOf: () => undefined,
    withheld: WithheldNames.parse(""),
    findIntercept: (uid) => uid === "a" ? intercept : undefined,
  });
  const cluster = new FakeCluster();
  const refusals = new Refusals({
    ...{ api: cluster, pod: "m-0", clock },
    findIntercept: (uid) => uid === "a" ? intercept : undefined,
  });
  const rules = new Feed<readonly Rule[]>();
  rules.set([]);
  const newcomers = new ProofGate(clock);
  const renewals = new ProofGate(clock);
  const forbidden = new BoundedLog(logger("manager"), clock);
  const guest = { address: "10.0.0.9", prove: () => {} };
  const { signal: leaving } = new AbortController();
  const welcomeAgent = (session: Session) => {
    const agent = new AgentSession({
      ...{ session, manager: "m-0", agents, clock, leaving },
      ...{ guest, newcomers, renewals, forbidden },
      prove: (token) =>
        Promise.resolve({ pod, expiresAt: Number(token) + tokenMs }),
      rulesOf: () => rules,
      authorities: () => undefined,
      onFallback: (...all) => void refusals.add(...all),
      serveLaptop: (...all) => relay.serveLaptop(...all),
      wallNow: () => clock.now(),
    });
    return (one: Incoming) => agent.serve(one);
  };
  const welcomeLaptop = (session: Session) => {
    laptops.add(session);
    return (one: Incoming) => {
      const target = decodeInterceptedTarget(one.target)!;
      relay.servePod(one, target, session)
        .catch(({ refusal, message }) => one.refuse(refusal, message));
    };
  };
  const doors = [welcomeAgent, welcomeLaptop].map((onSession) =>
    new Acceptor({ product, clock, onSession })
  );
  const dialAt = (door: Acceptor) => () => {
    const [near, far] = connPair();
    door.take(far).catch(() => {});
    return Promise.resolve(near);
  };
  return {
    ...{ agents, rules, cluster },
    dial: dialAt(doors[0]!),
    dialAsLaptop: dialAt(doors[1]!),
    async [Symbol.asyncDispose]() {
      await Promise.all(doors.map((door) => door.close()));
    },
  };
}

function open() {
  const clock = new FakeClock();
  const app = openApp((conn) => answerAs("app", conn));
  const port: PodPort = { port: app.port, protocol: "TCP" };
  const manager = openManager(clock, port);
  const service = new PodService({
    ...{ containers: [], directory: "/nowhere", clock },
    findRule: () => undefined,
  });
  const tokens: string[] = [];
  const agent = openAgent(new Map([["10.0.0.1", manager]]), {
    ...{ appPort: app.port, port: { ...port, protocol: "TCP" }, clock },
    serve: (incoming) => service.serve(incoming),
    token: () => {
      // Kubelet renews it well before it expires.
      const token = String(Math.floor(clock.now() / 50_000) * 50_000);
      if (tokens.at(-1) !== token) tokens.push(token);
      return token;
    },
  });
  const laptop = (serve: (incoming: Incoming) => void) =>
    dialSession({
      ...{ product, identity, serve, clock, dial: manager.dialAsLaptop },
    });
  return {
    ...{ clock, port, manager, agent, laptop, tokens },
    async ask(text: string): Promise<string> {
      const client = await agent.connect();
      await writeAll(client, bytesOf(text));
      await client.closeWrite();
      const answer = textOf(await readAll(client));
      client.close();
      return answer;
    },
    /** Lets time pass, and all that happens meanwhile. */
    async pass(ms: number) {
      for (const endMs = clock.now() + ms; clock.now() < endMs;) {
        clock.advance(200);
        await new Promise((resolve) => setTimeout(resolve));
      }
    },
    /** Tells the rule of the intercept, and waits until the agent follows it. */
    async intercept() {
      const { rules, agents } = manager;
      rules.set([{
        ...{ id: "a", name: "a", owner: "jane", mode: "intercept" },
        ...{ ports: [port], manager: "m-0" },
      }]);
      await until(() => agents.ofPod(pod.uid)?.follows?.has("a") === true);
    },
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]();
      await manager[Symbol.asyncDispose]();
      await app.stop();
    },
  };
}

async function close(session: Session): Promise<void> {
  session.close();
  await session.ended;
}

Deno.test("a connection goes to the laptop by way of agent and manager, and back when the intercept ends", async () => {
  await using place = open();
  const laptop = await place.laptop((incoming) => {
    assert.deepEqual(decodeLaptopTarget(incoming.target), {
      ...{ intercept: "a", port: place.port },
    });
    void answerAs("laptop", incoming.accept());
  });
  assert.equal(await place.ask("1"), "app:1");
  await place.intercept();
  assert.equal(await place.ask("2"), "laptop:2");
  place.manager.rules.set([]);
  const { agents } = place.manager;
  await until(() => agents.ofPod(pod.uid)!.follows!.size === 0);
  assert.equal(await place.ask("3"), "app:3");
  await close(laptop);
});

Deno.test("a laptop on which nothing listens leaves it to the app", async () => {
  await using place = open();
  const laptop = await place.laptop((incoming) =>
    incoming.refuse("refused", "nothing listens")
  );
  await place.intercept();
  assert.equal(await place.ask("1"), "app:1");
  assert.equal(place.agent.counters.numbers.fallbacks, 1);
  await close(laptop);
});

Deno.test("what a laptop does not take is an event of the intercept and of the pod, once in a minute", async () => {
  await using place = open();
  const { cluster } = place.manager;
  const laptop = await place.laptop((incoming) =>
    incoming.refuse("refused", "nothing listens")
  );
  await place.intercept();
  const events = async () =>
    (await cluster.list(resources.events, { namespace: "shop" })).map((
      { involvedObject, reason, type, message },
    ) => {
      const { kind, name } = involvedObject as KubernetesObject["metadata"] & {
        kind: string;
      };
      return `${type} ${reason} of ${kind} ${name}: ${message}`;
    });
  for (let asked = 0; asked < 4; asked++) {
    assert.equal(await place.ask("1"), "app:1");
    await until(() => cluster.written.length === 2);
    await place.pass(11_000);
  }
  assert.deepEqual(
    await events(),
    ["Intercept a", "Pod web-1"].map((about) =>
      `Warning LaptopRefused of ${about}: The app has what the laptop a@laptop did not take (intercept "a"): nothing listens`
    ),
  );
  await close(laptop);
});

Deno.test("a laptop that comes while its connection waits gets it", async () => {
  await using place = open();
  await place.intercept();
  let answer: string | undefined;
  void place.ask("1").then((text) => answer = text);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(answer, undefined);
  const laptop = await place.laptop((incoming) =>
    void answerAs("laptop", incoming.accept())
  );
  await until(() => answer !== undefined);
  assert.equal(answer, "laptop:1");
  await close(laptop);
});

Deno.test("a laptop reaches the pod's loopback", async () => {
  await using place = open();
  await place.intercept();
  const laptop = await place.laptop(() => {});
  const stream = await laptop.open(encodeInterceptedTarget({
    kind: "pod",
    intercept: "a",
    wanted: { kind: "loopback", port: place.port },
  }));
  await writeAll(stream, bytesOf("hi"));
  await stream.closeWrite();
  assert.equal(textOf(await readAll(stream)), "app:hi");
  stream.close();
  await close(laptop);
});

Deno.test("an agent outlives its tokens, and so do its connections", async () => {
  await using place = open();
  await place.intercept();
  const laptop = await place.laptop((incoming) =>
    void answerAs("laptop", incoming.accept())
  );
  const client = await place.agent.connect();
  await until(() => place.agent.counters.numbers.laptop === 1);
  await place.pass(2 * tokenMs - place.clock.now());
  // deno-lint-ignore no-console
  console.log(`${place.tokens.length} tokens in ${2 * tokenMs / 1000} s`);
  assert.ok(place.tokens.length >= 3);
  await writeAll(client, bytesOf("late"));
  await client.closeWrite();
  assert.equal(textOf(await readAll(client)), "laptop:late");
  client.close();
  assert.equal(await place.ask("2"), "laptop:2");
  await close(laptop);
});
