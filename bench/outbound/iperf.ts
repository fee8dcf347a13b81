/**
 * An upload by iperf3, whose server closes the connection of the data while the client's last bytes are on the way, and
 * tells its results on another one.
 */
import { type Cluster, type Laptop, sleep } from "../../tests/cluster/mod.ts";
import type { ServerPod } from "../measure/server_pod.ts";
import { PortForward } from "../ways/kubectl.ts";

export interface IperfResult {
  readonly finishes: boolean;
  /** As the server has it. */
  readonly gbitPerSecond?: number;
  /** Why it did not finish, or what broke because of it. */
  readonly detail?: string;
}

const seconds = 2;
const port = 5201;
/** In which a process that is about to end has ended, and one that starts listens. */
const endMs = 500;

export async function iperfUpload(
  laptop: Laptop,
  host: string,
): Promise<IperfResult> {
  const { code, stdout, stderr, timedOut } = await laptop.run(
    ["iperf3", "-c", host, "-p", `${port}`, "-t", `${seconds}`, "-J"],
    { timeoutMs: seconds * 1000 + 13_000 },
  );
  if (timedOut) return { finishes: false, detail: "it hangs" };
  const report = parse(stdout);
  if (code !== 0 || report?.end?.sum_received === undefined) {
    const detail = report?.error || stderr.trim() || "no results came";
    return { finishes: false, detail };
  }
  const rate = report.end.sum_received["bits_per_second"] / 1e9;
  return { finishes: true, gbitPerSecond: rate };
}

/** The same through a `kubectl port-forward` of its own. */
export async function iperfUploadByKubectl(
  laptop: Laptop,
  pod: ServerPod,
): Promise<IperfResult> {
  await using forward = await PortForward.start(laptop, { pod, ports: [port] });
  const result = await iperfUpload(laptop, "127.0.0.1");
  await sleep(endMs);
  if (forward.isAlive) return result;
  return { ...result, finishes: false, detail: await forward.lastWords() };
}

/** Starts the server anew: one whose client vanished waits for it and serves nobody else. */
export async function restartIperf(
  { kubectl }: Cluster,
  { namespace, name }: ServerPod,
): Promise<void> {
  await kubectl(
    ["-n", namespace, "exec", name, "-c", "tools", "--"]
      .concat("sh", "-c", "kill -9 $(pidof iperf3)"),
  );
  await sleep(endMs);
}

interface IperfReport {
  readonly error?: string;
  readonly end?: {
    readonly "sum_received"?: { readonly "bits_per_second": number };
  };
}

function parse(text: string): IperfReport | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
