/** Clients in the cluster that ask one Service without a pause, on the bed's first node. */
import assert from "node:assert/strict";
import { type Cluster, waitFor } from "../cluster/mod.ts";

export interface Answer {
  /** In ms since 1970. */
  readonly startedMs: number;
  readonly endedMs: number;
  /** Who answered; `undefined` when nobody did. */
  readonly who: string | undefined;
  /** Why, then. */
  readonly why?: string;
}

/** The connection on which lines go to and fro. */
export interface Conversation {
  /** Who greeted. */
  readonly who: string;
  echoed: number;
  /** When the last line came back, in ms since 1970. */
  echoedMs: number;
}

export class ServiceClients implements AsyncDisposable {
  readonly answers: Answer[] = [];
  /** Why conversations broke, in their order. */
  readonly breaks: string[] = [];
  conversation: Conversation | undefined;
  /** When requests began. */
  readonly #asked: number[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#reading = this.#read();
  }

  /** @param options.converse The Service's port of the server that greets and echoes, if it has one. */
  static async start(
    cluster: Cluster,
    { namespace, service, converse }: {
      namespace: string;
      service: string;
      converse?: number;
    },
  ): Promise<ServiceClients> {
    const get = ["get", "service", service, "--namespace", namespace];
    const { stdout } = await cluster.kubectl([
      ...get,
      "--output=jsonpath={.spec.clusterIP}",
    ]);
    const script = new URL("service_clients_script.ts", import.meta.url);
    const ports = converse === undefined ? ["80"] : ["80", String(converse)];
    const child = new Deno.Command("nsenter", {
      args: [
        ...[`--net=/run/netns/${cluster.nodes[0]!.netns}`, "--"],
        ...[Deno.execPath(), "run", "--allow-net", script.pathname],
        ...[stdout, ...ports],
      ],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    return new ServiceClients(child);
  }

  /** Resolves with the first answer of `who` to a request that began at `sinceMs` or later. */
  async answered(
    who: RegExp,
    { sinceMs = Date.now(), timeoutMs = 60_000 } = {},
  ): Promise<Answer> {
    let found: Answer | undefined;
    await waitFor(`answer of ${who}`, () => {
      found = this.since(sinceMs).find((one) => who.test(one.who ?? ""));
      const last = JSON.stringify(this.answers.at(-1));
      return Promise.resolve(found !== undefined || last);
    }, { everyMs: 20, timeoutMs });
    return found!;
  }

  /** Answers to requests that began then or later, and before `untilMs`. */
  since(sinceMs: number, untilMs = Infinity): Answer[] {
    return this.answers.filter(({ startedMs }) =>
      startedMs >= sinceMs && startedMs < untilMs
    );
  }

  /** Resolves when all requests that began before `untilMs` have been answered, to those that began since `sinceMs`. */
  async settled(sinceMs: number, untilMs: number): Promise<Answer[]> {
    const isMeant = (ms: number) => ms >= sinceMs && ms < untilMs;
    await waitFor("answers", () => {
      const expected = this.#asked.filter(isMeant).length;
      const isOver = this.#asked.at(-1)! >= untilMs;
      const { length } = this.since(sinceMs, untilMs);
      return Promise.resolve(
        isOver && length === expected || `${length} of ${expected}`,
      );
    });
    return this.since(sinceMs, untilMs);
  }

  /** Resolves when another line has come back, to how long that took. */
  async echo(): Promise<number> {
    const startMs = Date.now();
    const before = this.conversation?.echoedMs ?? 0;
    await waitFor("echo", () => {
      const { echoedMs = 0 } = this.conversation ?? {};
      const isNew = echoedMs > Math.max(before, startMs);
      return Promise.resolve(isNew || this.breaks.join());
    }, { everyMs: 10 });
    return this.conversation!.echoedMs - startMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch { /* it has ended */ }
    await this.#child.status;
    await this.#reading;
  }

  async #read(): Promise<void> {
    let rest = "";
    const decoded = this.#child.stdout.pipeThrough(new TextDecoderStream());
    for await (const text of decoded) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) this.#take(line);
    }
  }

  #take(line: string): void {
    const [what, ...words] = line.split(" ");
    const [one = "", two, three = ""] = words;
    switch (what) {
      case "asked":
        this.#asked.push(Number(one));
        break;
      case "answer":
      case "failed": {
        const isAnswer = what === "answer";
        this.answers.push({
          ...{ startedMs: Number(one), endedMs: Number(two) },
          who: isAnswer ? three : undefined,
          ...isAnswer ? {} : { why: three },
        });
        break;
      }
      case "open":
        this.conversation = { who: one, echoed: 0, echoedMs: 0 };
        break;
      case "echo":
        assert.ok(this.conversation);
        this.conversation.echoed = Number(one);
        this.conversation.echoedMs = Number(two);
        break;
      case "broken":
        this.breaks.push(words.join(" "));
        this.conversation = undefined;
    }
  }
}
