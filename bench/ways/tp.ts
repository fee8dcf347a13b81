import { type Laptop, must, waitFor } from "../../tests/cluster/mod.ts";
import { type BenchManager, executable } from "../measure/manager.ts";
import type { Processes } from "../measure/usage.ts";
import { serversAt, type Way } from "./way.ts";

/** What a first connect may take. */
const connectTimeoutMs = 60_000;
/** And the way by the direct endpoint after it. */
const directTimeoutMs = 20_000;

export interface TpOptions {
  laptop: Laptop;
  manager: BenchManager;
  podIp: string;
  /** Whether it goes by the manager's direct endpoint, and is waited for until it does. */
  isDirect?: boolean;
}

/** `tp`, connected. */
export async function openTp(
  { laptop, manager, podIp, isDirect = false }: TpOptions,
): Promise<Way> {
  const connect = async () => {
    await must(
      laptop.command([executable, "connect"].concat(
        ["--manager-namespace", manager.namespace, "--image", manager.image],
      )),
      { timeoutMs: connectTimeoutMs },
    );
    if (isDirect) await untilDirect(laptop);
  };
  await connect();
  let processes = await findProcesses(laptop, manager);
  const quit = async () => {
    await laptop.run([executable, "quit"], { timeoutMs: 20_000 });
  };
  const renew = async () => {
    await quit();
    await connect();
    processes = await findProcesses(laptop, manager);
  };
  return {
    name: isDirect ? "tp-direct" : "tp",
    laptop,
    servers: serversAt(podIp),
    get processes() {
      return processes;
    },
    mend: async () => {
      const { stdout, stderr } = await laptop.run([executable, "status"]);
      if (stdout.startsWith("Connected\n")) return undefined;
      await connect();
      processes = await findProcesses(laptop, manager);
      return (stderr || stdout).trim();
    },
    renew,
    [Symbol.asyncDispose]: quit,
  };
}

async function untilDirect(laptop: Laptop): Promise<void> {
  const status = [executable, "status", "--output", "json"];
  await waitFor("direct way", async () => {
    const { traffic_manager: found } = JSON.parse(
      await must(laptop.command(status)),
    );
    return found?.transport === "direct" || JSON.stringify(found);
  }, { timeoutMs: directTimeoutMs });
}

async function findProcesses(
  laptop: Laptop,
  manager: BenchManager,
): Promise<Processes> {
  return new Map([
    ["connector", await laptopPids(laptop, "connector-foreground")],
    ["daemon", await laptopPids(laptop, "daemon-foreground")],
    ["manager", await manager.findPids()],
  ]);
}

/** The processes of the laptop that were started with this subcommand. */
async function laptopPids(
  laptop: Laptop,
  subcommand: string,
): Promise<number[]> {
  const found: number[] = [];
  for (const pid of await laptop.pids()) {
    const command = await Deno.readTextFile(`/proc/${pid}/cmdline`)
      .catch(() => "");
    const [program = "", ...args] = command.split("\0");
    if (program.endsWith("tp") && args.includes(subcommand)) found.push(pid);
  }
  return found;
}
