/**
 * The environment of a container as its processes have it, with what its image says: for who may run commands in its pod
 * (`pods/exec`). Where that is not so, or the image has no `cat`, there is none.
 */
import { type ApiClient, canI, type Pod, resources } from "../../k8s/mod.ts";
import { logger } from "../../log.ts";
import { agentLabel, type WorkloadRef } from "../../manager/api.ts";
import { workloadNamedBy } from "../../manager/client.ts";
import { type Conn, readText, unlessAborted } from "../../net/mod.ts";

const log = logger("connector");

/** How long all of it may take, in ms: the intercept waits. */
const patienceMs = 3_000;
/** More than any kernel takes. */
const maxBytes = 4 * 1024 * 1024;
/** The environment of `cat` is what the runtime gives to every process of the container. */
const command = ["cat", "/proc/self/environ"];

export interface ImageQuestion {
  namespace: string;
  workload: WorkloadRef;
  container: string;
  signal: AbortSignal;
}

/** Rejects with the reason of the signal alone. */
export async function readImageEnvironment(
  api: ApiClient,
  question: ImageQuestion,
): Promise<Record<string, string>> {
  const { namespace, container } = question;
  const patience = AbortSignal.timeout(patienceMs);
  const signal = AbortSignal.any([question.signal, patience]);
  try {
    const right = { verb: "create", group: "", resource: "pods", namespace };
    if (!await canI(api, { ...right, subresource: "exec" }, { signal })) {
      return {};
    }
    const name = await podOf(api, { ...question, signal });
    if (name === undefined) return {};
    const ref = { namespace, name, container, command };
    const stream = await api.run(ref, { signal });
    return parse(await unlessAborted(readAll(stream), signal));
  } catch (error) {
    question.signal.throwIfAborted();
    log.info("the image's environment is not to be had", { container, error });
    return {};
  }
}

async function podOf(
  api: ApiClient,
  { namespace, workload, signal }: ImageQuestion,
): Promise<string | undefined> {
  const labelSelector = `${agentLabel}=true`;
  const pods = await api.list(resources.pods, {
    ...{ namespace, labelSelector, signal },
  });
  const isMeant = (pod: Pod) => {
    const of = workloadNamedBy(pod);
    return of?.kind === workload.kind && of.name === workload.name &&
      pod.status?.phase === "Running" &&
      pod.metadata.deletionTimestamp === undefined;
  };
  return pods.find(isMeant)?.metadata.name;
}

async function readAll(stream: Conn): Promise<string> {
  try {
    return await readText(stream, { maxBytes });
  } finally {
    stream.close();
  }
}

/** As in `/proc/PID/environ`: a zero octet behind each. */
function parse(text: string): Record<string, string> {
  const pairs = text.split("\0").map((one): [string, string] => {
    const at = one.indexOf("=");
    return [one.slice(0, at), one.slice(at + 1)];
  });
  return Object.fromEntries(pairs.filter(([name]) => name !== ""));
}
