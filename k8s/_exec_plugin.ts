/**
 * Credentials from a program (client.authentication.k8s.io v1 and v1beta1).
 *
 * 1. The program runs as the current user, with the environment of whoever asked and what the kubeconfig adds.
 * 2. Its ExecCredential is kept until it expires, or the API server refuses it. One that seems to have expired when it
 *    comes is kept for a while too: this laptop's clock may be wrong, and the API server knows better.
 * 3. Requests that come meanwhile wait for the same run.
 */
import { unlessAborted } from "../net/mod.ts";
import {
  type Credential,
  CredentialError,
  type Proof,
  said,
} from "./credential.ts";
import type { ExecEntry } from "./kubeconfig.ts";

/** A plugin that asks nobody anything answers within this time, in ms, unless told otherwise. */
const usualQuietMs = 60_000;
/** A credential is renewed this long before it expires, in ms, so that it does not expire on the way. */
const marginMs = 10_000;
/** A credential is used for as long at least, in ms, unless it is refused: plugins may take a second for each run. */
const leastMs = 10_000;

export interface ExecPluginOptions {
  /** Whole environment of the program, before what the kubeconfig adds. */
  env: Record<string, string>;
  /** Given to the program when it wants to know the cluster (`provideClusterInfo`). */
  clusterInfo: Record<string, unknown>;
  /** Whether the program may talk with the user on our standard streams. */
  terminal: boolean;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Milliseconds of a clock that nobody sets. */
  elapsed?: () => number;
  /** How long a plugin that asks nobody anything may take, in ms. */
  quietMs?: number;
}

/**
 * The credential that the program hands out. `entry.command` is resolved by the caller.
 *
 * @throws {CredentialError} when the entry asks for what cannot be done.
 */
export function execCredential(
  entry: ExecEntry,
  options: ExecPluginOptions,
): Credential {
  const { now = Date.now, elapsed = () => performance.now() } = options;
  let held: Answer | undefined;
  let heldSince = 0;
  let running: Promise<Answer> | undefined;
  const isGood = ({ expiresAt }: Answer) =>
    now() < expiresAt - marginMs || elapsed() - heldSince < leastMs;
  const run = async () => {
    try {
      const answer = await runPlugin(entry, options);
      heldSince = elapsed();
      return answer;
    } finally {
      running = undefined;
    }
  };
  return {
    async present({ signal } = {}) {
      if (held && isGood(held)) return held.proof;
      running ??= run();
      held = await unlessAborted(running, signal);
      return held.proof;
    },
    renew(refused) {
      if (held?.proof === refused) held = undefined;
      return true;
    },
  };
}

interface Answer {
  proof: Proof;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

async function runPlugin(
  entry: ExecEntry,
  { env, clusterInfo, terminal, quietMs = usualQuietMs }: ExecPluginOptions,
): Promise<Answer> {
  const interactive = isInteractive(entry, terminal);
  const info = {
    apiVersion: entry.apiVersion,
    kind: "ExecCredential",
    spec: {
      interactive,
      ...entry.provideClusterInfo ? { cluster: clusterInfo } : {},
    },
  };
  const added = (entry.env ?? []).map(({ name, value }) => [name, value]);
  const child = spawn(entry, {
    args: entry.args ?? [],
    clearEnv: true,
    env: {
      ...env,
      ...Object.fromEntries(added),
      KUBERNETES_EXEC_INFO: JSON.stringify(info),
    },
    stdin: interactive ? "inherit" : "null",
    stdout: "piped",
    stderr: interactive ? "inherit" : "piped",
    // Leads a group of its own, so that what it has started ends with it.
    detached: !interactive,
  });
  let late = false;
  const timer = interactive ? undefined : setTimeout(() => {
    late = true;
    killGroup(child);
  }, quietMs);
  try {
    const output = await child.output();
    if (late) throw failed(entry, `no answer within ${quietMs / 1000} s`);
    if (output.signal !== null) {
      throw failed(entry, `it was ended by ${output.signal}`);
    }
    if (!output.success) {
      const told = interactive ? "" : lastLine(output.stderr);
      throw failed(entry, `exit code ${output.code}${told && `: ${told}`}`);
    }
    return decodeAnswer(entry, new TextDecoder().decode(output.stdout));
  } finally {
    clearTimeout(timer);
  }
}

function isInteractive(entry: ExecEntry, terminal: boolean): boolean {
  const mode = entry.interactiveMode ?? "IfAvailable";
  if (mode === "Always" && !terminal) {
    throw failed(entry, "it wants a terminal to talk with the user");
  }
  return mode !== "Never" && terminal;
}

function spawn(
  entry: ExecEntry,
  options: Deno.CommandOptions,
): Deno.ChildProcess {
  try {
    return new Deno.Command(entry.command!, options).spawn();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) {
      throw failed(entry, said(cause), cause);
    }
    const hint = entry.installHint?.trim();
    throw failed(entry, `no such program${hint ? `. ${hint}` : ""}`, cause);
  }
}

/** Whoever of the group lives on keeps its output open, and so the reading of it. */
function killGroup({ pid }: Deno.ChildProcess): void {
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** Takes the ExecCredential apart. */
function decodeAnswer(entry: ExecEntry, text: string): Answer {
  let answer: ExecCredential;
  try {
    answer = JSON.parse(text);
  } catch (cause) {
    throw failed(entry, "its answer is not JSON", cause);
  }
  if (answer?.kind !== "ExecCredential") {
    throw failed(entry, "its answer is no ExecCredential");
  }
  if (answer.apiVersion !== entry.apiVersion) {
    throw failed(
      entry,
      `it answers in ${answer.apiVersion}, the kubeconfig wants ${entry.apiVersion}`,
    );
  }
  const {
    token,
    clientCertificateData: cert,
    clientKeyData: key,
    expirationTimestamp,
  } = answer.status ?? {};
  if (!token && !(cert && key)) {
    throw failed(entry, "its answer holds neither token nor certificate");
  }
  return {
    proof: {
      ...token ? { authorization: `Bearer ${token}` } : {},
      ...cert && key ? { certificate: { cert, key } } : {},
    },
    expiresAt: expirationTimestamp
      ? Date.parse(expirationTimestamp)
      : Number.POSITIVE_INFINITY,
  };
}

interface ExecCredential {
  apiVersion?: string;
  kind?: string;
  status?: {
    token?: string;
    clientCertificateData?: string;
    clientKeyData?: string;
    /** RFC 3339. */
    expirationTimestamp?: string;
  };
}

function lastLine(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes.subarray(-4096));
  return text.trim().split("\n").at(-1)!.trim();
}

function failed(
  entry: ExecEntry,
  state: string,
  cause?: unknown,
): CredentialError {
  return new CredentialError(
    `Cannot get credentials from "${entry.command}": ${state}`,
    { cause },
  );
}
