/** Namespaces of a cluster that is only made up: network, mounts and processes of its own, gone when its process is. */
import { must } from "../../cluster/mod.ts";

/** In its own network, all of 10.0.0.0/8 is this one host: whatever listens, listens as every pod and every service. */
const script = `mount -t tmpfs -o mode=755 tmpfs /run
ip link set lo up
ip route add local 10.0.0.0/8 dev lo
sysctl -qw net.ipv6.conf.default.accept_dad=0
sysctl -qw net.ipv4.ip_local_port_range="2048 65000"
echo ready
exec cat`;

export class Place implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #pid: number;

  private constructor(child: Deno.ChildProcess, pid: number) {
    this.#child = child;
    this.#pid = pid;
  }

  static async open(): Promise<Place> {
    const flags = ["--net", "--mount", "--propagation=private", "--pid"];
    const child = new Deno.Command("unshare", {
      args: [...flags, "--fork", "--kill-child", "--mount-proc"]
        .concat("sh", "-euc", script),
      // What ends when this process does: then all ends that runs in the place.
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    const { done } = await reader.read();
    await reader.cancel();
    if (done) throw new Error("Cannot make a place: unshare has ended");
    return new Place(child, await childOf(child.pid));
  }

  /** The command that runs another one here. */
  command(argv: readonly string[]): [string, ...string[]] {
    const enter = ["--net", "--mount", "--pid", `--target=${this.#pid}`];
    return ["nsenter", ...enter, "--", ...argv];
  }

  /** Runs a shell script here, which must succeed. */
  async run(script: string): Promise<void> {
    await must(this.command(["sh", "-eu"]), { stdin: script });
  }

  /** Starts a process that ends with the place. */
  start(
    argv: readonly string[],
    { env = {}, ...io }: {
      env?: Record<string, string>;
      stdin?: "piped" | "null";
      stdout?: "piped" | "null";
      stderr?: "inherit" | "null";
    } = {},
  ): Deno.ChildProcess {
    const [program, ...args] = this.command(argv);
    return new Deno.Command(program, {
      ...{ args, env, stdin: "null", stdout: "null", stderr: "null" },
      ...io,
    }).spawn();
  }

  /** Ends all that runs here. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close();
    await this.#child.status;
  }
}

/** The process that another one has started, which waits for it. */
export async function childOf(pid: number): Promise<number> {
  const path = `/proc/${pid}/task/${pid}/children`;
  return Number((await Deno.readTextFile(path)).trim().split(" ")[0]);
}
