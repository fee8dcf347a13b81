/** An upload by iperf3, which ends its transfers in a way of its own: it resets what is still on the way. */
import type { Laptop } from "../../tests/cluster/mod.ts";
import { PortForward } from "./way_kubectl.ts";

export interface IperfResult {
  readonly finishes: boolean;
  /** As the server has it. */
  readonly gbitPerSecond?: number;
  /** Why it did not finish, or what broke because of it. */
  readonly detail?: string;
}

const seconds = 2;
const port = 5201;

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
    const detail = report?.error ?? stderr.trim();
    return { finishes: false, detail: detail || `exit code ${code}` };
  }
  const rate = report.end.sum_received["bits_per_second"] / 1e9;
  return { finishes: true, gbitPerSecond: rate };
}

/** The same through a `kubectl port-forward` of its own. */
export async function iperfUploadByKubectl(
  laptop: Laptop,
  pod: string,
): Promise<IperfResult> {
  await using forward = await PortForward.start(laptop, { pod, ports: [port] });
  const result = await iperfUpload(laptop, "127.0.0.1");
  if (forward.isAlive) return result;
  return { ...result, finishes: false, detail: await forward.lastWords() };
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
