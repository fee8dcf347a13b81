/** A laptop that serves a Service of the cluster, and clients in the cluster that ask it all the time. */
import assert from "node:assert/strict";
import type { Intercept } from "../../manager/api.ts";
import {
  appBinary,
  type Cluster,
  Laptop,
  say,
  waitFor,
} from "../cluster/mod.ts";
import type { Fault } from "./faults.ts";
import { Tp } from "./laptop_tp.ts";
import type { ManagerPlace } from "./manager_place.ts";
import { sampleService } from "./sample_application.ts";
import { ServiceClients } from "./service_clients.ts";

/** What a client waits for a laptop that is away; then the app answers. */
export const patienceMs = 20_000;

export interface InterceptedServiceOptions {
  /** Of the workload, of its Service, and of the intercept. */
  readonly name: string;
  readonly namespace: string;
  readonly place: ManagerPlace;
  /** Flags `--port`. */
  readonly ports: readonly string[];
  /** The Service's port of the server that greets and echoes, where that is intercepted. */
  readonly converse?: number;
  /** More flags that lead to the cluster, for its laptop. */
  readonly access?: (laptop: Laptop) => Promise<readonly string[]>;
}

/** From then on, in ms since 1970. */
export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

export async function span(work: () => Promise<void>): Promise<Span> {
  const startMs = Date.now();
  await work();
  return { startMs, endMs: Date.now() };
}

export class InterceptedService implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly laptop: Laptop;
  readonly tp: Tp;
  readonly clients: ServiceClients;
  /** Who answers on the laptop. */
  readonly own: RegExp;
  readonly #options: InterceptedServiceOptions;
  readonly #access: readonly string[];
  #stack = new AsyncDisposableStack();

  private constructor(
    parts: Pick<InterceptedService, "cluster" | "laptop" | "tp" | "clients">,
    options: InterceptedServiceOptions,
    access: readonly string[],
  ) {
    this.cluster = parts.cluster;
    this.laptop = parts.laptop;
    this.tp = parts.tp;
    this.clients = parts.clients;
    this.own = new RegExp(`^laptop-of-${options.name}$`);
    this.#options = options;
    this.#access = access;
  }

  /** Resolves when the laptop answers. */
  static async open(
    cluster: Cluster,
    options: InterceptedServiceOptions,
  ): Promise<InterceptedService> {
    await using building = new AsyncDisposableStack();
    const laptop = building.use(await Laptop.open(cluster));
    const tp = new Tp(laptop);
    const { name, namespace, converse } = options;
    const server = laptop.spawn([
      ...sampleService(await appBinary(), "who"),
      ...["-grpc", "", "-udp", ""],
    ], { env: { WHO: `laptop-of-${name}` }, stderr: "null" });
    building.defer(() => server.status.then(() => {}));
    building.defer(() => server.kill());
    const clients = building.use(
      await ServiceClients.start(cluster, {
        ...{ namespace, service: name },
        ...converse === undefined ? {} : { converse },
      }),
    );
    const parts = { cluster, laptop, tp, clients };
    const access = await options.access?.(laptop) ?? [];
    const service = new InterceptedService(parts, options, access);
    building.use(
      await tp.connected([
        ...["--namespace", namespace, ...options.place.flag, ...access],
      ]),
    );
    await service.intercept();
    await clients.answered(service.own);
    // The conversation with the pod that was replaced ends with it.
    if (converse !== undefined) {
      await waitFor("conversation", () => {
        const { who = "nobody" } = clients.conversation ?? {};
        return Promise.resolve(service.own.test(who) || who);
      });
    }
    service.#stack = building.move();
    return service;
  }

  /** Connects, if it must, and intercepts. */
  async intercept(): Promise<void> {
    const { name, namespace, place, ports } = this.#options;
    await this.tp.ok([
      ...["intercept", name, "--namespace", namespace, "--mount=false"],
      ...ports.flatMap((port) => ["--port", port]),
      ...[...place.flag, ...this.#access],
    ]);
  }

  /** The intercept's object. @throws {AssertionError} unless there is one, and no other of the workload */
  async object(): Promise<Intercept> {
    const { name, namespace } = this.#options;
    const { stdout, stderr } = await this.cluster.kubectl([
      ...["get", "intercepts", "--namespace", namespace, "--output=json"],
    ]);
    const items: Intercept[] = JSON.parse(stdout || '{"items":[]}').items;
    const own = items.filter(({ spec }) => spec.workload.name === name);
    assert.equal(own.length, 1, JSON.stringify(own) + stderr);
    return own[0]!;
  }

  /** Resolves when the object is in that phase; to the time since `sinceMs`. */
  async phase(phase: string, sinceMs: number): Promise<number> {
    await waitFor(`phase ${phase}`, async () => {
      const { status } = await this.object();
      return status?.phase === phase || JSON.stringify(status);
    }, { timeoutMs: 90_000 });
    return Date.now() - sinceMs;
  }

  /** From the end of a fault to the laptop's next answer. */
  async comesBack({ endMs }: Span): Promise<number> {
    const { endedMs } = await this.clients.answered(this.own, {
      sinceMs: endMs,
    });
    return endedMs - endMs;
  }

  /** A fault that is over before the laptop counts as away: every request is the laptop's, and the connection goes on. */
  async outlive({ name, make, withinMs }: Fault): Promise<void> {
    const { clients, own } = this;
    await clients.echo();
    const breaks = clients.breaks.length;
    const { metadata: { uid } } = await this.object();
    const during = await span(make);
    const [backMs, echoMs] = await Promise.all([
      this.comesBack(during),
      clients.echo(),
    ]);
    const answers = await clients.settled(during.startMs, during.endMs);
    const longestMs = Math.max(
      0,
      ...answers.map(({ startedMs, endedMs }) => endedMs - startedMs),
    );
    const others = answers.filter(({ who = "" }) => !own.test(who));
    say(
      `intercept: ${name}: ${answers.length} requests meanwhile, ${others.length} not the laptop's, the longest took ${longestMs} ms; afterwards: the next answer ${backMs} ms, the open connection ${echoMs} ms`,
    );
    assert.deepEqual(others, []);
    assert.ok(longestMs < patienceMs, `${longestMs} ms`);
    assert.equal(clients.breaks.length, breaks, clients.breaks.join());
    assert.ok(Math.max(backMs, echoMs) <= withinMs, `${backMs}, ${echoMs} ms`);
    const { metadata, status } = await this.object();
    assert.equal(metadata.uid, uid);
    assert.equal(status?.phase, "Active");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
