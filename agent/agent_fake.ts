/** The parts of an agent that serve TCP, with managers and apps of a test's own. */
import type { AgentPort } from "../manager/api.ts";
import { Ip, Slots, systemClock } from "../net/mod.ts";
import type { Clock, Conn } from "../net/mod.ts";
import { TcpConn } from "../tcp/mod.ts";
import { createIdentity, type Incoming, MemoryBudget } from "../tunnel/mod.ts";
import { App } from "./app.ts";
import { Counters } from "./counters.ts";
import { Fallbacks } from "./fallbacks.ts";
import { Laptops } from "./laptops.ts";
import type { FakeManager } from "./manager_fake.ts";
import { Managers } from "./managers.ts";
import { TcpPort } from "./tcp_port.ts";

const identity = await createIdentity();
export const loopback = "127.0.0.1";

/** By address. */
type Copies = ReadonlyMap<string, Pick<FakeManager, "dial">>;

/** The managers of an agent: copies by their addresses, which can come and go. */
export function openManagers(
  copies: Copies,
  { clock = systemClock, token = () => "token", serve, door = () => [] }: {
    clock?: Clock;
    /** Addresses that lead to any copy. */
    door?: () => string[];
    token?: () => string;
    serve?: (incoming: Incoming) => void;
  } = {},
): Managers {
  return new Managers({
    identity,
    budget: new MemoryBudget(8 * 1024 * 1024),
    clock,
    resolve: () =>
      Promise.resolve(
        [...copies.keys()].filter((address) => !door().includes(address)),
      ),
    resolveAny: () => Promise.resolve(door()),
    dial: async (address) => {
      const copy = copies.get(address);
      if (copy === undefined) throw new Error("Nobody is there");
      return await copy.dial();
    },
    readToken: () => Promise.resolve(token()),
    serve: serve ?? ((incoming) => incoming.refuse("unknown-target", "test")),
  });
}

export interface TestAgent extends AsyncDisposable {
  readonly managers: Managers;
  readonly counters: Counters;
  /** Places of its connections. */
  readonly slots: Slots;
  /** Where it listens. */
  readonly port: number;
  /** Connects as a client. */
  connect(): Promise<TcpConn>;
}

/** An agent before the app at `appPort`; what rules mean by {@link web} is its port. */
export function openAgent(
  copies: Copies,
  { appPort, clock = systemClock, port, maxConns = 100, leaving, ...others }: {
    appPort: number;
    clock?: Clock;
    port: { port: number; protocol: "TCP" };
    maxConns?: number;
    leaving?: AbortSignal;
    token?: () => string;
    serve?: (incoming: Incoming) => void;
  },
): TestAgent {
  const managers = openManagers(copies, { ...others, clock });
  const counters = new Counters({ clock });
  const slots = new Slots(maxConns);
  const listener = Deno.listen({ hostname: "::", port: 0 });
  const agentPort = (listener.addr as Deno.NetAddr).port;
  const tcpPort = new TcpPort({
    port: { ...port, agentPort, redirect: false } satisfies AgentPort,
    listener,
    app: new App({
      port: appPort,
      ownAddresses: [Ip.parse(loopback)],
      clock,
    }),
    managers,
    laptops: new Laptops({ managers, counters, clock }),
    slots,
    fallbacks: new Fallbacks({
      ...{ counters, clock },
      report: (fallback, { manager }) => managers.report(manager, fallback),
    }),
    counters,
    leaving: leaving ?? new AbortController().signal,
    clock,
  });
  return {
    ...{ managers, counters, slots, port: agentPort },
    connect: async () =>
      new TcpConn(
        await Deno.connect({ hostname: loopback, port: agentPort }),
      ),
    async [Symbol.asyncDispose]() {
      await tcpPort[Symbol.asyncDispose]();
      await managers[Symbol.asyncDispose]();
      counters[Symbol.dispose]();
    },
  };
}

/** An app on this machine. Each connection is `serve`'s. */
export function openApp(serve: (conn: Conn) => Promise<void>) {
  const listener = Deno.listen({ hostname: loopback, port: 0 });
  const serving: Promise<void>[] = [];
  let isStopped = false;
  const accepting = (async () => {
    for await (const conn of listener) serving.push(serve(new TcpConn(conn)));
  })();
  return {
    port: listener.addr.port,
    /** Listens no more; resolves when its connections have ended. Idempotent. */
    async stop() {
      if (!isStopped) listener.close();
      isStopped = true;
      await accepting;
      await Promise.all(serving);
    },
  };
}
