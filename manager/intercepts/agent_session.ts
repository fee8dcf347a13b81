/**
 * One agent's session.
 *
 * 1. Its first stream is `rules`, with a token that proves its pod; everything else is refused before. One token is looked
 *    at at a time. One that proves no agent is the last: the session is closed.
 * 2. Down that stream go the rules of its workload, line by line. Up come numbers of lines that it follows, and what the
 *    laptop did not take.
 * 3. It opens `rules` anew, with a new token, before the one before expires; else the session is closed.
 */
import {
  type Clock,
  type Conn,
  RefusedError,
  writeAll,
} from "../../net/mod.ts";
import { refusalOfError } from "../../tcp/mod.ts";
import type { Incoming, Session } from "../../tunnel/mod.ts";
import {
  decodeAgentTarget,
  type Fallback,
  parseAgentLine,
  type Rule,
  type Rules,
} from "../agent_api.ts";
import type { BoundedLog } from "../bounded_log.ts";
import type { Feed } from "../feed.ts";
import type { Guest } from "./agent_door.ts";
import type { Proof, ProvenPod } from "./agent_proof.ts";
import type { ConnectedAgents } from "./connected_agents.ts";
import type { ProofGate } from "./proof_gate.ts";
import type { LaptopWish } from "./relay.ts";

/** Who has not proven itself by then is sent away. */
const proofMs = 10_000;
/** Who is no agent is sent away so long after it was told, which takes a moment to arrive. */
const farewellMs = 1_000;
/** `setTimeout` knows no longer time. */
const longestMs = 2 ** 31 - 1;
/** Lines that have not been answered; of older ones nothing is known any more. */
const maxUnanswered = 64;
/** An agent has little to say. */
const maxLineLength = 2 * 1024;

export interface AgentSessionOptions {
  session: Session;
  /** Pod of this copy of the manager. */
  manager: string;
  /** Who it is from whom the session came. */
  guest: Guest;
  prove: (token: string) => Promise<Proof>;
  /** Through which tokens go, by address: those of who has proven nothing. */
  newcomers: ProofGate;
  /** The same for the further tokens of agents, by their pods. */
  renewals: ProofGate;
  /** Is told what an agent may not do, under its address. */
  forbidden: BoundedLog;
  agents: ConnectedAgents;
  rulesOf: (workload: string) => Feed<readonly Rule[]>;
  /** PEM of the authorities that agents shall trust; `undefined` while they are not known. */
  authorities: () => string | undefined;
  /** Serves what a proven agent wants of a laptop. */
  serveLaptop: (incoming: Incoming, wish: LaptopWish) => Promise<void>;
  /** Called with what an agent tells, as often as it does. */
  onFallback: (pod: ProvenPod, fallback: Fallback) => void;
  /** Fires when the manager leaves: rules end. */
  leaving: AbortSignal;
  clock: Clock;
  wallNow: () => number;
}

export class AgentSession {
  readonly #options: AgentSessionOptions;
  /** The reasons are few. */
  readonly #accused = new Set<string>();
  #pod: ProvenPod | undefined;
  #isProving = false;
  #isStranger = false;
  #isOver = false;
  #expire: () => void;
  #rules: Conn | undefined;

  constructor(options: AgentSessionOptions) {
    this.#options = options;
    const { session, clock } = options;
    this.#expire = clock.after(proofMs, () => session.close());
    void session.ended.then(() => {
      this.#isOver = true;
      this.#expire();
    });
  }

  /** Answers one stream. Returns at once; nothing is thrown later. */
  serve(incoming: Incoming): void {
    this.#serve(incoming).catch((error) => {
      const { refusal, message } = refusalOfError(error);
      if (refusal === "forbidden") this.#accuse(message);
      incoming.refuse(refusal, message);
    });
  }

  /** Once for each reason: who may do nothing shall not fill the log. */
  #accuse(why: string): void {
    if (this.#accused.has(why)) return;
    this.#accused.add(why);
    const { session, guest: { address: from }, forbidden } = this.#options;
    const { thumbprint } = session.peer;
    const { namespace, name: pod } = this.#pod ?? {};
    const who = { from, thumbprint, namespace, pod };
    const message = "forbidden to an agent";
    forbidden.write(from, { level: "warn", message, why, ...who });
  }

  async #serve(incoming: Incoming): Promise<void> {
    const { serveLaptop } = this.#options;
    this.#mustStand();
    const target = decodeAgentTarget(incoming.target);
    if (target?.kind === "rules" && !incoming.datagrams) {
      return await this.#serveRules(incoming, target.token);
    }
    if (this.#pod === undefined) {
      throw new RefusedError("forbidden", "The agent has not said who it is");
    }
    if (target?.kind !== "laptop") {
      const detail = "The manager does not know what is wanted of it";
      throw new RefusedError("unknown-target", detail);
    }
    await serveLaptop(incoming, { ...target, workload: this.#pod.workload });
  }

  /** @throws {RefusedError} when nothing may begin any more. */
  #mustStand(): void {
    if (this.#options.leaving.aborted) {
      throw new RefusedError("gone", "The manager is leaving");
    }
    if (this.#isOver) throw new RefusedError("gone", "The session is over");
  }

  async #serveRules(incoming: Incoming, token: string): Promise<void> {
    const { pod, expiresAt } = await this.#prove(token);
    // Much may have happened since the question was asked.
    this.#mustStand();
    if (this.#pod !== undefined && this.#pod.uid !== pod.uid) {
      throw new RefusedError("forbidden", "The session is another pod's");
    }
    const { session, clock, wallNow, agents } = this.#options;
    this.#expire();
    const leftMs = Math.min(Math.max(expiresAt - wallNow(), 0), longestMs);
    this.#expire = clock.after(leftMs, () => session.close());
    const isFirst = this.#pod === undefined;
    if (isFirst) this.#options.guest.prove();
    this.#pod = pod;
    const stream = incoming.accept();
    const former = this.#rules;
    this.#rules = stream;
    former?.close();
    if (isFirst) {
      agents.put({ pod, session, follows: undefined });
      void session.ended.then(() => agents.remove(pod, session));
    }
    await this.#tellRules(stream, pod);
  }

  async #prove(token: string): Promise<Proof> {
    const { guest, newcomers, renewals, prove } = this.#options;
    if (this.#isStranger) {
      throw new RefusedError("forbidden", "The agent has not said who it is");
    }
    if (this.#isProving) {
      throw new RefusedError("overloaded", "The agent is proving itself");
    }
    this.#isProving = true;
    try {
      return this.#pod === undefined
        ? await newcomers.pass(guest.address, () => prove(token))
        : await renewals.pass(this.#pod.uid, () => prove(token));
    } catch (error) {
      const { refusal } = refusalOfError(error);
      if (refusal === "forbidden" && !this.#pod) this.#sendAway();
      throw error;
    } finally {
      this.#isProving = false;
    }
  }

  #sendAway(): void {
    const { session, clock } = this.#options;
    this.#isStranger = true;
    if (this.#isOver) return;
    this.#expire();
    this.#expire = clock.after(farewellMs, () => session.close());
  }

  /** Until the agent ends the stream, opens another, or the manager leaves. Never rejects. */
  async #tellRules(stream: Conn, pod: ProvenPod): Promise<void> {
    const { rulesOf, manager, leaving, authorities } = this.#options;
    const over = new AbortController();
    const end = () => over.abort();
    leaving.addEventListener("abort", end, { once: true });
    const unanswered = new Map<number, readonly Rule[]>();
    const answers = this.#readAnswers(stream, { pod, unanswered }).finally(end);
    try {
      let version = 0;
      for await (const rules of rulesOf(pod.workload).follow(over)) {
        const line: Rules = { version: ++version, manager, rules };
        // A stream lasts as long as a token: no authority becomes the next and then the present one meanwhile.
        const told = version === 1 ? { authorities: authorities() } : {};
        unanswered.set(version, rules);
        if (unanswered.size > maxUnanswered) {
          unanswered.delete(unanswered.keys().next().value!);
        }
        await writeAll(
          stream,
          new TextEncoder().encode(`${JSON.stringify({ ...line, ...told })}\n`),
        );
      }
      stream.close();
    } catch {
      stream.reset();
    }
    leaving.removeEventListener("abort", end);
    await answers;
  }

  /** Resolves at the end of the stream, however it comes. */
  async #readAnswers(
    stream: Conn,
    { pod, unanswered }: {
      pod: ProvenPod;
      unanswered: Map<number, readonly Rule[]>;
    },
  ): Promise<void> {
    const { agents, session, onFallback } = this.#options;
    const buffer = new Uint8Array(1024);
    const decoder = new TextDecoder();
    let rest = "";
    try {
      for (;;) {
        const read = await stream.read(buffer);
        if (read === null) return;
        rest += decoder.decode(buffer.subarray(0, read), { stream: true });
        const lines = rest.split("\n");
        rest = lines.pop()!;
        if (rest.length > maxLineLength) return stream.reset();
        const told = lines.map(parseAgentLine);
        for (const one of told) {
          if (typeof one === "object") onFallback(pod, one);
        }
        const answered = told.findLast((one) =>
          typeof one === "number" && unanswered.has(one)
        ) as number | undefined;
        if (answered === undefined) continue;
        const follows = new Set(unanswered.get(answered)!.map(({ id }) => id));
        for (const version of [...unanswered.keys()]) {
          if (version <= answered) unanswered.delete(version);
        }
        if (this.#rules === stream) agents.answer(pod, session, follows);
      }
    } catch {
      // A stream that broke has ended.
    }
  }
}
