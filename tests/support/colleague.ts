/** A laptop of somebody whom the cluster knows by their own name, with the programs of who.go to answer on it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { appBinary, type Cluster, Laptop, makeUser } from "../cluster/mod.ts";
import { writeLaptopFile } from "./kubeconfig_file.ts";
import { Tp } from "./laptop_tp.ts";
import type { ManagerPlace } from "./manager_place.ts";

export interface ColleagueOptions {
  readonly manager: ManagerPlace;
  /** Where they may intercept. */
  readonly namespace: string;
  /** What `app who` says on the laptop. */
  readonly who: string;
}

export class Colleague implements AsyncDisposable {
  /** As the cluster knows them. */
  readonly name: string;
  readonly laptop: Laptop;
  readonly tp: Tp;
  readonly #stack: AsyncDisposableStack;
  readonly #who: string;
  #server: Deno.ChildProcess | undefined;

  private constructor(
    { name, laptop, who, stack }: {
      name: string;
      laptop: Laptop;
      who: string;
      stack: AsyncDisposableStack;
    },
  ) {
    this.name = name;
    this.laptop = laptop;
    this.tp = new Tp(laptop);
    this.#who = who;
    this.#stack = stack;
  }

  /** Connected, with a running `app who`. The manager must be installed. */
  static async open(
    cluster: Cluster,
    { manager, namespace, who }: ColleagueOptions,
  ): Promise<Colleague> {
    await using stack = new AsyncDisposableStack();
    const laptop = stack.use(await Laptop.open(cluster));
    const name = `person-${who}-${crypto.randomUUID().slice(0, 8)}`;
    stack.use(await manager.grant(`--user=${name}`));
    await mayIntercept(cluster, namespace, name);
    const kubeconfig = await makeUser(cluster, { name });
    const path = await writeLaptopFile(laptop, "/root/kubeconfig", kubeconfig);
    const tp = new Tp(laptop);
    const flags = [...manager.flag, "--namespace", namespace];
    stack.use(await tp.connected([...flags, "--kubeconfig", path]));
    const colleague = new Colleague({
      ...{ name, laptop, who, stack: stack.move() },
    });
    await colleague.serve();
    return colleague;
  }

  /** Starts the programs. */
  async serve(env: Record<string, string> = {}): Promise<void> {
    const app = join(await appBinary(), "app");
    this.#server = this.laptop.spawn([app, "who"], {
      env: { WHO: this.#who, ...env },
      stderr: "null",
    });
  }

  /** Stops the programs, which stay. What lets them go on. */
  pauseServing(): Disposable {
    const server = this.#server;
    server?.kill("SIGSTOP");
    return { [Symbol.dispose]: () => server?.kill("SIGCONT") };
  }

  /** The last requests that came to the laptop, "METHOD URI" each. */
  async requests(): Promise<string[]> {
    const url = "http://127.0.0.1:8080/requests";
    const { stdout } = await this.laptop.run(["curl", "-sS", url]);
    return JSON.parse(stdout) ?? [];
  }

  /** Ends the programs. */
  async serveNoMore(): Promise<void> {
    this.#server?.kill();
    await this.#server?.status;
    this.#server = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.serveNoMore();
    await this.#stack.disposeAsync();
  }
}

async function mayIntercept(
  { kubectl }: Cluster,
  namespace: string,
  name: string,
): Promise<void> {
  const { code, stderr } = await kubectl([
    ...["create", "rolebinding", name, "--namespace", namespace],
    ...["--clusterrole=tp-intercept", `--user=${name}`],
  ]);
  assert.equal(code, 0, stderr);
}
