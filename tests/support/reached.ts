/** What a laptop gets of an address or a name. */
import assert from "node:assert/strict";
import { type Cluster, type Laptop, say } from "../cluster/mod.ts";
import type { Tp } from "./laptop_tp.ts";

/** What is refused is refused in less. */
const refusedMs = 1_500;

export interface Got {
  readonly text: string;
  readonly code: number;
  readonly tookMs: number;
}

export async function get(
  laptop: Laptop,
  host: string,
  port = 80,
): Promise<Got> {
  const name = host.includes(":") ? `[${host}]` : host;
  const startMs = performance.now();
  const { stdout, stderr, code } = await laptop.run(
    ["curl", "-sS", "-m", "10", `http://${name}:${port}/`],
  );
  const tookMs = Math.round(performance.now() - startMs);
  return { text: stdout + stderr, code, tookMs };
}

export async function assertRefused(
  laptop: Laptop,
  host: string,
  port?: number,
): Promise<void> {
  const { code, text, tookMs } = await get(laptop, host, port);
  assert.equal(code, 7, `${host}: ${text}`);
  assert.ok(tookMs < refusedMs, `${host} refused after ${tookMs} ms`);
  say(`${host}: ${text.trim()}`);
}

export async function dig(laptop: Laptop, ...args: string[]): Promise<string> {
  const { stdout } = await laptop.run(
    ["dig", "+time=3", "+tries=1", "+short", ...args],
  );
  return stdout.trim();
}

/** What a question comes to: "NOERROR", "NXDOMAIN" or "silence"; and what the first record of some types says. */
export async function digRecord(
  laptop: Laptop,
  types: readonly string[],
  args: readonly string[],
): Promise<{ code: string; data: string | undefined }> {
  const { stdout } = await laptop.run([
    ...["dig", "+time=3", "+tries=1", "+noall", "+comments", "+answer"],
    ...args,
  ]);
  return {
    code: /status: (\w+)/.exec(stdout)?.[1] ?? "silence",
    data: new RegExp(`\\s(?:${types.join("|")})\\s+(.+)`).exec(stdout)?.[1],
  };
}

export async function query(cluster: Cluster, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectl(args);
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

export async function statusOf(tp: Tp) {
  return JSON.parse(await tp.ok(["status", "--output", "json"]));
}
