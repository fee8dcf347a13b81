import {
  buildManagerImage,
  type Cluster,
  type Laptop,
  must,
} from "../../tests/cluster/mod.ts";
import { containerPids } from "./processes.ts";
import type { Processes } from "./usage.ts";
import { serversAt, type Way } from "./way.ts";

export const executable = new URL("../../dist/tp", import.meta.url).pathname;

/** A manager of the benchmark's own, so that it is the one of this executable, and no one else's is touched. */
const namespace = "tp-bench";
const image = "docker.io/local/tp:bench";
const connectTimeoutMs = 120_000;

/** `tp`, connected. */
export async function openTp(
  cluster: Cluster,
  { laptop, podIp }: { laptop: Laptop; podIp: string },
): Promise<Way> {
  await removeManager(cluster);
  const ownImage = Deno.env.get("TP_IMAGE") ?? image;
  if (cluster.isBed) {
    await buildManagerImage(cluster, { executable, name: ownImage });
  }
  const connect = async () => {
    await must(
      laptop.command([executable, "connect"].concat(
        ["--manager-namespace", namespace, "--image", ownImage],
      )),
      { timeoutMs: connectTimeoutMs },
    );
  };
  await connect();
  let processes = await findProcesses(cluster, laptop);
  return {
    name: "tp",
    laptop,
    servers: serversAt(podIp),
    get processes() {
      return processes;
    },
    mend: async () => {
      const { code, stdout, stderr } = await laptop.run([executable, "status"]);
      if (code === 0 && /connected/i.test(stdout)) return undefined;
      await connect();
      processes = await findProcesses(cluster, laptop);
      return (stderr || stdout).trim();
    },
    [Symbol.asyncDispose]: async () => {
      await laptop.run([executable, "quit"], { timeoutMs: 20_000 });
      await removeManager(cluster);
    },
  };
}

async function findProcesses(
  cluster: Cluster,
  laptop: Laptop,
): Promise<Processes> {
  const selector = "statefulset.kubernetes.io/pod-name=traffic-manager-0";
  return new Map([
    ["connector", await laptopPids(laptop, "connector-foreground")],
    ["daemon", await laptopPids(laptop, "daemon-foreground")],
    ["manager", await containerPids(cluster, { namespace, selector })],
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

async function removeManager({ kubectl }: Cluster): Promise<void> {
  const gone = ["--ignore-not-found", "--timeout=30s"];
  const name = `traffic-manager-${namespace}`;
  await kubectl(["delete", "namespace", namespace, ...gone]);
  await kubectl(
    ["delete", "clusterrole,clusterrolebinding", name, ...gone],
  );
  await kubectl(
    ["-n", "default", "delete", "role,rolebinding", name, ...gone],
  );
}
