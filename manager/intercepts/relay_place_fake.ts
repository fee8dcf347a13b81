/** Agents, laptops and the relay between them, over byte flows in memory. */
import assert from "node:assert/strict";
import type { LogFields, Logger } from "../../log.ts";
import {
  type Conn,
  connPair,
  type Refusal,
  RefusedError,
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
import { encodeAgentTarget, type Rule } from "../agent_api.ts";
import { BoundedLog } from "../bounded_log.ts";
import { ClusterDns } from "../cluster_dns.ts";
import { Feed } from "../feed.ts";
import type { Intercept } from "../intercept.ts";
import { LaptopAudit } from "../laptop_audit.ts";
import { Service } from "../service.ts";
import { Ip } from "../../net/mod.ts";
import { AgentSession } from "./agent_session.ts";
import { ConnectedAgents } from "./connected_agents.ts";
import { Laptops } from "./laptops.ts";
import { ProofGate } from "./proof_gate.ts";
import { Relay } from "./relay.ts";
import { WithheldNames } from "./withheld_names.ts";

export const http = { port: 8080, protocol: "TCP" } as const;
export const start = Date.parse("2026-01-01T00:00:00Z");
export const product = "tp/test";
export const rule: Rule = {
  ...{ id: "a", name: "a", owner: "o", mode: "intercept" },
  ...{ ports: [http], manager: "m-0" },
};

/** A token is what it proves: `POD EXPIRY`; below 0 it has expired. The pod's first letter is its workload's. */
export function prove(token: string) {
  const [name = "", seconds] = token.split(" ");
  if (!seconds || Number(seconds) < 0) {
    throw new RefusedError("forbidden", "a test");
  }
  const workload = `shop/deployment-${name[0]}eb`;
  const pod = {
    ...{ namespace: "shop", name, uid: `uid-${name}`, workload },
    createdAt: `2026-01-01T00:00:0${name.length}Z`,
  };
  return Promise.resolve({ pod, expiresAt: start + Number(seconds) * 1000 });
}

/** A manager to which agents and laptops come, without Kubernetes. */
export function openRelayPlace() {
  const clock = new FakeClock();
  const laptops = new Laptops(clock);
  const agents = new ConnectedAgents(() => {});
  const intercepts = new Map<string, Intercept>();
  /** Names of pods that are being deleted. */
  const goingPods = new Set<string>();
  let isPresent = true;
  const relay = new Relay({
    ...{ laptops, agents, isPresent: () => isPresent, clock },
    isStaying: ({ name }) => !goingPods.has(name),
    ipOf: ({ name }) => name === "web-1" ? "10.0.0.7" : undefined,
    isInForce: () => isPresent,
    withheld: WithheldNames.parse("*_PASSWORD"),
    findIntercept: (uid) => intercepts.get(uid),
  });
  /** Lines of the manager's log that tell of what was forbidden. */
  const accusations: LogFields[] = [];
  const accuse = (message: string, fields?: LogFields) =>
    void accusations.push({ message, ...fields });
  const log: Logger = {
    ...{ debug: accuse, info: accuse, warn: accuse, error: accuse },
  };
  const forbidden = new BoundedLog(log, clock);
  const audit = new LaptopAudit({
    log: forbidden,
    usersOf: (thumbprint) =>
      [...intercepts.values()].filter(({ spec }) => spec.session === thumbprint)
        .map(({ spec }) => spec.owner),
  });
  const rules = new Feed<readonly Rule[]>();
  let authorities: string | undefined;
  const leaving = new AbortController();
  const service = new Service({
    dns: new ClusterDns({ nameservers: [Ip.parse("127.0.0.1")], clock }),
    ...{ world: new Feed(), direct: new Feed() },
    ...{ whyForbidden: () => "a test", clock },
    worldOf: () => {
      throw new RefusedError("unknown-target", "a test");
    },
    servePod: (...all) => relay.servePod(...all),
    onForbidden: (wish) => audit.forbid(wish),
  });
  const newcomers = new ProofGate(clock);
  const renewals = new ProofGate(clock);
  const guest = { address: "10.0.0.9", prove: () => {} };
  /** What becomes of a token, once this is over. */
  let proving = Promise.resolve();
  const welcomeAgent = (session: Session) => {
    const agent = new AgentSession({
      ...{ session, guest, manager: "m-0", agents, clock },
      ...{ newcomers, renewals, forbidden },
      prove: async (token) => {
        await proving;
        return await prove(token);
      },
      ...{ rulesOf: () => rules, leaving: leaving.signal },
      authorities: () => authorities,
      serveLaptop: (...all) => relay.serveLaptop(...all),
      onFallback: () => {},
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
    ...{ goingPods, accusations },
    /** Holds all proofs until the promise resolves. */
    proveAfter(promise: Promise<void>) {
      proving = promise;
    },
    trust(bundle: string) {
      authorities = bundle;
    },
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

export function refuse(incoming: Incoming): void {
  incoming.refuse("refused", "nobody listens");
}

/** Says back what it is asked, by bytes or datagrams. */
export async function echo(incoming: Incoming): Promise<void> {
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

export async function readLine<T>(stream: Conn): Promise<T> {
  let text = "";
  const into = new Uint8Array(4096);
  while (!text.endsWith("\n")) {
    const read = await stream.read(into);
    assert.ok(read !== null, `the end after "${text}"`);
    text += new TextDecoder().decode(into.subarray(0, read));
  }
  return JSON.parse(text);
}

export async function readText(stream: Conn): Promise<string> {
  let text = "";
  const into = new Uint8Array(4096);
  for (;;) {
    const read = await stream.read(into);
    if (read === null) return text;
    text += new TextDecoder().decode(into.subarray(0, read));
  }
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function openRules(agent: Session, token: string): Promise<Conn> {
  return agent.open(encodeAgentTarget({ kind: "rules", token }));
}

export async function turn(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((done) => setTimeout(done));
}

export function refusedAs(refusal: Refusal) {
  return (error: unknown) =>
    error instanceof RefusedError && error.refusal === refusal;
}
