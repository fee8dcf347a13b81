/** The client of tests that intercept: it asks in a pod of the cluster, and counts who answers. */
import assert from "node:assert/strict";
import { type Cluster, waitFor } from "../cluster/mod.ts";

/** What `app ask` prints (tests/app/ask.go). */
export interface Answers {
  /** Answered by who should, by another, by nobody or wrongly. */
  readonly right: number;
  readonly wrong: number;
  readonly failed: number;
  /** By variant, then by who answered. */
  readonly answers: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly connections: number;
  readonly faults?: readonly string[];
  /** With `-list`: "MS VARIANT WHO" each, with when it was asked. */
  readonly list?: readonly string[];
  readonly slowestMs: number;
}

/** What is asked, and who has to answer, as `-expect` wants it. */
export type Expected = Readonly<Record<string, string>>;

export interface AskOptions {
  readonly expect?: Expected;
  readonly timeoutMs?: number;
}

/** Runs `app ask ARGS…` in the pod `client` of a namespace (tests/app/intercepts.yaml). */
export async function ask(
  { kubectl }: Cluster,
  namespace: string,
  args: readonly string[],
  { expect = {}, timeoutMs = 60_000 }: AskOptions = {},
): Promise<Answers> {
  const { code, stdout, stderr } = await kubectl([
    ...inClient(namespace, "client"),
    ...["/app", "ask", ...args],
    ...Object.entries(expect).flatMap((
      [variant, who],
    ) => ["-expect", `${variant === "none" ? "" : variant} -> ${who}`]),
  ], { timeoutMs });
  assert.equal(code, 0, `app ask ${args.join(" ")}\n${stdout}${stderr}`);
  return JSON.parse(stdout);
}

/**
 * Asks until all is right. For a workload whose pods have just been replaced: nodes and names lead to a former pod for a
 * moment.
 */
export async function askUntilRight(
  cluster: Cluster,
  namespace: string,
  args: readonly string[],
  { expect = {} }: AskOptions = {},
): Promise<void> {
  const some = [...args, "-requests", "30", "-workers", "3"];
  await waitFor("right answers", async () => {
    const told = await ask(cluster, namespace, some, { expect });
    return told.wrong + told.failed === 0 || JSON.stringify(told);
  });
}

/**
 * Sends octets (latin1), each text by a connection of its own, from that pod.
 *
 * @param sent.pace A pause after each so many octets; default: all at once.
 * @returns what came back
 */
export async function sendOctets(
  { kubectl }: Cluster,
  namespace: string,
  { address, octets, pace }: {
    address: string;
    octets: readonly string[];
    pace?: { octets: number; everyMs: number };
  },
): Promise<string[]> {
  const pieces = pace === undefined
    ? []
    : ["-piece", String(pace.octets), "-every", `${pace.everyMs}ms`];
  const send = ["/app", "send", ...pieces, address];
  const { code, stdout, stderr } = await kubectl(
    [...inClient(namespace, "client", "--stdin"), ...send],
    { stdin: JSON.stringify(octets.map((text) => btoa(text))) },
  );
  assert.equal(code, 0, stderr);
  return (JSON.parse(stdout) as string[]).map((text) => atob(text));
}

/** Runs `curl ARGS…` in that pod; what it printed. */
export async function curlInCluster(
  { kubectl }: Cluster,
  namespace: string,
  args: readonly string[],
): Promise<string> {
  const curl = ["curl", "-sS", "-m", "10", ...args];
  const { code, stdout, stderr } = await kubectl(
    [...inClient(namespace, "tools"), ...curl],
  );
  assert.equal(code, 0, `${curl.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}

/** The begin of `kubectl exec` in that pod. */
export function inClient(
  namespace: string,
  container: string,
  ...flags: string[]
) {
  const pod = ["--namespace", namespace, "deployment/client"];
  return ["exec", ...flags, ...pod, "--container", container, "--"];
}

/** Fails unless every answer was who should give it, with what was not. */
export function assertAllRight(told: Answers, what: string): void {
  const { right, wrong, failed } = told;
  const all = `${what}: ${JSON.stringify(told, null, 1)}`;
  assert.deepEqual({ wrong, failed }, { wrong: 0, failed: 0 }, all);
  assert.ok(right > 0, all);
}
