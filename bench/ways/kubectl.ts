import { type Laptop, waitFor } from "../../tests/cluster/mod.ts";
import type { ServerPod } from "../measure/server_pod.ts";
import { serversAt, type Way } from "./way.ts";

/** `kubectl port-forward` as it comes. */
export async function openKubectl(
  laptop: Laptop,
  pod: ServerPod,
): Promise<Way> {
  const servers = serversAt("127.0.0.1");
  const ports = Object.values(servers).map((at) => Number(at.split(":")[1]));
  let forward = await PortForward.start(laptop, { pod, ports });
  const renew = async () => {
    await forward[Symbol.asyncDispose]();
    forward = await PortForward.start(laptop, { pod, ports });
  };
  return {
    name: "kubectl",
    laptop,
    servers,
    get processes() {
      return new Map([["kubectl", [forward.pid]]]);
    },
    mend: async () => {
      if (forward.isAlive) return undefined;
      const said = await forward.lastWords();
      await renew();
      return said;
    },
    renew,
    [Symbol.asyncDispose]: () => forward[Symbol.asyncDispose](),
  };
}

/** One `kubectl port-forward` to a pod; the ports of the laptop are those of the pod. */
export class PortForward implements AsyncDisposable {
  isAlive = true;
  readonly #child: Deno.ChildProcess;
  readonly #log: string;

  private constructor(child: Deno.ChildProcess, log: string) {
    this.#child = child;
    this.#log = log;
    void child.status.then(() => this.isAlive = false);
  }

  /** @throws {Error} if it does not listen within 10 s */
  static async start(
    laptop: Laptop,
    { pod, ports }: { pod: ServerPod; ports: readonly number[] },
  ): Promise<PortForward> {
    // It says a line for each connection: into a file, so that nobody has to be awake to read it.
    const log = await Deno.makeTempFile({ prefix: "tp-bench-kubectl-" });
    const script = 'log=$1; shift; exec kubectl port-forward "$@" >$log 2>&1';
    const target = ["-n", pod.namespace, `pod/${pod.name}`];
    const args = [log, ...target, ...ports.map((port) => `${port}:${port}`)];
    const child = laptop.spawn(["sh", "-c", script, "sh", ...args], {
      stdin: "null",
    });
    const forward = new PortForward(child, log);
    try {
      await waitFor("kubectl port-forward", async () => {
        const text = await Deno.readTextFile(log);
        const listening = text.split("Forwarding from 127.0.0.1").length - 1;
        if (!forward.isAlive) throw new Error(text);
        return listening === ports.length || text;
      }, { timeoutMs: 10_000, everyMs: 20 });
    } catch (error) {
      await forward[Symbol.asyncDispose]();
      throw error;
    }
    return forward;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** The last complaint, or the last line. */
  async lastWords(): Promise<string> {
    const lines = (await Deno.readTextFile(this.#log)).trim().split("\n");
    const errors = lines.filter((line) => /error|lost/i.test(line));
    return (errors.at(-1) ?? lines.at(-1) ?? "").trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isAlive) this.#child.kill("SIGKILL");
    await this.#child.status;
    await Deno.remove(this.#log).catch(() => {});
  }
}
