/**
 * Finds out that the cluster's DNS waits for this laptop while this laptop waits for it, as when a cluster on the laptop
 * forwards what it does not know to the laptop's own resolver.
 *
 * 1. A question that comes back looks like the same question of a second app: it joins the first.
 * 2. One that has joined and gets no answer for a while is suspect. The cluster is asked for a name that nobody else asks
 *    for, right beside the one that is suspect.
 * 3. If that comes back, the question came from the cluster: it is not for the cluster to answer.
 */
import type { Clock } from "../net/mod.ts";
import type { ClusterQuestion } from "./cluster_resolver.ts";

/** How long a question waits for the answer to another before it is suspect. */
const suspectMs = 300;
/** The same once a loop was found: such a cluster is near. */
const suspectAgainMs = 30;
/** How long a probe may take to come back. */
const probeMs = 1_000;

export interface LoopGuardOptions {
  clock: Clock;
  /** Asks the cluster; what it answers does not count. */
  ask: (
    question: ClusterQuestion,
    options: { signal: AbortSignal },
  ) => Promise<unknown>;
}

export class LoopGuard {
  readonly #options: LoopGuardOptions;
  /** Who waits for the probe of a name to come back, by the name's key. */
  readonly #probes = new Map<string, () => void>();
  /** Probes that are under way, by the question without the first label of its name. */
  readonly #probing = new Map<string, Promise<boolean>>();
  #loops = 0;

  constructor(options: LoopGuardOptions) {
    this.#options = options;
  }

  /** Questions that came back from the cluster. */
  get loops(): number {
    return this.#loops;
  }

  /** To be told of each question that arrives. True when it is a probe that came back. */
  isProbe({ name }: Pick<ClusterQuestion, "name">): boolean {
    if (this.#probes.size === 0) return false;
    const onReturn = this.#probes.get(name.key);
    onReturn?.();
    return onReturn !== undefined;
  }

  /**
   * Waits for the answer to a question that is being asked already.
   *
   * @returns `undefined` when the question came from the cluster, which waits for us.
   */
  async wait<T>(
    answer: Promise<T>,
    question: ClusterQuestion,
  ): Promise<T | undefined> {
    const { clock } = this.#options;
    const suspect = Promise.withResolvers<"suspect">();
    const callOff = clock.after(
      this.#loops > 0 ? suspectAgainMs : suspectMs,
      () => suspect.resolve("suspect"),
    );
    const answered = answer.then((value) => ({ value }));
    try {
      const first = await Promise.race([answered, suspect.promise]);
      if (first !== "suspect") return first.value;
      const second = await Promise.race([answered, this.#loopsAt(question)]);
      if (second !== true) return await answer;
      this.#loops++;
      return undefined;
    } finally {
      callOff();
    }
  }

  /** Whether the cluster asks us about what is beside the name of `question`. */
  #loopsAt(question: ClusterQuestion): Promise<boolean> {
    const { name, type, class: kind } = question;
    const key = `${type} ${kind} ${name.beside("").key}`;
    let probing = this.#probing.get(key);
    if (probing === undefined) {
      probing = this.#probe(question).finally(() => this.#probing.delete(key));
      this.#probing.set(key, probing);
    }
    return probing;
  }

  async #probe(question: ClusterQuestion): Promise<boolean> {
    const { clock, ask } = this.#options;
    const [random] = crypto.getRandomValues(new BigUint64Array(1));
    const name = question.name.beside(`tp-loop-${random!.toString(36)}`);
    const over = Promise.withResolvers<boolean>();
    const done = new AbortController();
    const callOff = clock.after(probeMs, () => over.resolve(false));
    this.#probes.set(name.key, () => over.resolve(true));
    try {
      ask({ ...question, name }, { signal: done.signal })
        .catch(() => {}).then(() => over.resolve(false));
      return await over.promise;
    } finally {
      callOff();
      this.#probes.delete(name.key);
      done.abort(new Error("Cannot look up: nobody waits for it"));
    }
  }
}
