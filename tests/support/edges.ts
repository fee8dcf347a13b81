/** A pod that serves what protocols do at their edges, one that asks it, and a laptop that asks the same (tests/app/edges.go). */
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  appBinary,
  type Cluster,
  type CommandResult,
  deployEdges,
  type Laptop,
} from "../cluster/mod.ts";

/** Each case, and its outcome. */
export type Outcomes = Record<string, string>;

export interface Edges extends AsyncDisposable {
  /** The addresses of the pod that serves, IPv4 first. */
  readonly servers: readonly [string, string];
  /** Runs `app edges ARGS…` in the pod that asks; what it prints, read. */
  inPod(args: string[]): Promise<unknown>;
  /** The same on a laptop. */
  onLaptop(
    laptop: Laptop,
    args: string[],
    timeoutMs?: number,
  ): Promise<unknown>;
  /** The words of that command on a laptop. */
  command(args: string[]): string[];
}

export async function openEdges(cluster: Cluster): Promise<Edges> {
  const namespace = await cluster.namespace("edges");
  try {
    await deployEdges(cluster, namespace.name);
    const where = ["--namespace", namespace.name];
    const { stdout } = await cluster.kubectl([
      ...["get", "pod", "server", ...where],
      ...["-o", "jsonpath={.status.podIPs[*].ip}"],
    ]);
    const [v4, v6] = stdout.trim().split(" ");
    const app = join(await appBinary(), "app");
    const command = (args: string[]) => [app, "edges", ...args];
    return {
      servers: [v4!, v6!],
      command,
      inPod: async (args) =>
        read(
          await cluster.kubectl(
            ["exec", "client", ...where, "--", "/app", "edges", ...args],
          ),
        ),
      onLaptop: async (laptop, args, timeoutMs = 120_000) =>
        read(await laptop.run(command(args), { timeoutMs })),
      [Symbol.asyncDispose]: () => namespace[Symbol.asyncDispose](),
    };
  } catch (error) {
    await namespace[Symbol.asyncDispose]();
    throw error;
  }
}

/** An address of the pods' subnet that no pod has. */
export function nobodyNear(ip: string): string {
  return ip.includes(":")
    ? ip.replace(/[\da-f]*$/, "fffe")
    : ip.replace(/\d+$/, "254");
}

function read({ code, stdout, stderr }: CommandResult): unknown {
  assert.equal(code, 0, stdout + stderr);
  return JSON.parse(stdout);
}
