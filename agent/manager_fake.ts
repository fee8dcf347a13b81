/** A copy of the manager in memory, for tests. */
import {
  type AgentTarget,
  decodeAgentTarget,
  type Fallback,
  parseAgentLine,
  type PodPort,
  type Rule,
} from "../manager/api.ts";
import { type Clock, type Conn, writeAll } from "../net/mod.ts";
import { connPair } from "../net/conn_fake.ts";
import { Acceptor, type Incoming, type Session } from "../tunnel/mod.ts";
import { rulesLines } from "./rules_line.ts";

export const web: PodPort = { port: 8080, protocol: "TCP" };

/** A rule of the intercept `id`. */
export function rule(id: string, change: Partial<Rule> = {}): Rule {
  return {
    ...{ id, name: id, owner: "jane", mode: "intercept", ports: [web] },
    manager: "m-0",
    ...change,
  };
}

type LaptopWish = AgentTarget & { kind: "laptop" };

export class FakeManager implements AsyncDisposable {
  readonly name: string;
  /** What the agents have answered, in order. */
  readonly answers: string[] = [];
  /** What they told that a laptop did not take, in order. */
  readonly fallbacks: Fallback[] = [];
  /** Tokens by which `rules` was opened, in order. */
  readonly tokens: string[] = [];
  /** What becomes of streams to laptops. */
  onLaptop: (incoming: Incoming, target: LaptopWish) => void = (incoming) =>
    incoming.refuse("refused", "no laptop");
  /** What agents shall trust, told with the rules. */
  authorities: string | undefined;
  /** Says no to `rules` while it is set. */
  refusesRules = false;
  /** No carrier comes about while it is set. */
  isUnreachable = false;
  readonly #acceptor: Acceptor;
  readonly #carriers = new Set<Conn>();
  readonly #streams = new Set<Conn>();
  #rules: readonly Rule[] = [];
  #version = 0;

  constructor(name: string, { clock }: { clock?: Clock } = {}) {
    this.name = name;
    this.#acceptor = new Acceptor({
      product: "tp/test",
      ...clock && { clock },
      onSession: () => (incoming) => this.#serve(incoming),
    });
  }

  get sessions(): Session[] {
    return [...this.#acceptor.sessions];
  }

  /** Streams `rules` that are open. */
  get listeners(): number {
    return this.#streams.size;
  }

  /** A carrier to it, as the agent's `dial`. */
  dial(): Promise<Conn> {
    if (this.isUnreachable) return Promise.reject(new Error("No way"));
    const [near, far] = connPair();
    this.take(far);
    return Promise.resolve(near);
  }

  /** Takes over a carrier that came by another way. */
  take(carrier: Conn): void {
    this.#carriers.add(carrier);
    this.#acceptor.take(carrier).catch(() => {}).finally(() =>
      this.#carriers.delete(carrier)
    );
  }

  /** Breaks its carriers, and lets no other come about; sessions go on. */
  cut(): void {
    this.isUnreachable = true;
    for (const carrier of this.#carriers) carrier.reset();
  }

  /** Tells these rules from here on. */
  tell(...rules: Rule[]): void {
    this.#rules = rules;
    for (const stream of this.#streams) void this.#write(stream);
  }

  /** Ends the streams `rules`, as a manager that leaves. */
  hush(): void {
    for (const stream of this.#streams) stream.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#acceptor.close();
  }

  #serve(incoming: Incoming): void {
    const target = decodeAgentTarget(incoming.target)!;
    if (target.kind === "laptop") return this.onLaptop(incoming, target);
    this.tokens.push(target.token);
    if (this.refusesRules) return incoming.refuse("forbidden", "a test");
    void this.#follow(incoming.accept());
  }

  async #follow(stream: Conn): Promise<void> {
    this.#streams.add(stream);
    void this.#write(stream);
    try {
      for await (const line of rulesLines(stream)) {
        const told = parseAgentLine(line);
        if (typeof told === "object") this.fallbacks.push(told);
        else this.answers.push(line);
      }
    } catch {
      // The session has ended.
    }
    this.#streams.delete(stream);
  }

  async #write(stream: Conn): Promise<void> {
    const line = JSON.stringify({
      ...{ version: ++this.#version, manager: this.name, rules: this.#rules },
      authorities: this.authorities,
    });
    await writeAll(stream, new TextEncoder().encode(`${line}\n`))
      .catch(() => {});
  }
}
