/** The environment of an intercepted container, as it is to be had on the laptop. */
import type { ContainerEnvironment } from "../../manager/api.ts";
import {
  pause,
  readText,
  RefusedError,
  systemClock,
  unlessAborted,
} from "../../net/mod.ts";
import type { ManagerLink } from "../session/link.ts";
import type { MountInfo } from "./api.ts";

/** Longer than any that a kernel takes. */
const maxBytes = 4 * 1024 * 1024;
const attempts = 3;
const pauseMs = 500;
/** How long all of them together may take: the intercept waits. */
const patienceMs = 15_000;

/** What is of the process in the pod, and would break one on the laptop. */
const ofThePod = new Set([
  ...["PATH", "HOME", "HOSTNAME", "PWD", "OLDPWD", "SHLVL", "TERM", "_"],
]);

export interface EnvironmentQuestion {
  /** UID of the intercept. */
  intercept: string;
  container: string;
  signal: AbortSignal;
  /** {@link patienceMs} but in tests. */
  limitMs?: number;
}

/** @throws {RefusedError | ConnResetError | SyntaxError} when it cannot be had, also after some attempts. */
export async function readEnvironment(
  link: Pick<ManagerLink, "use">,
  question: EnvironmentQuestion,
): Promise<ContainerEnvironment> {
  const { signal: off, limitMs = patienceMs } = question;
  const late = AbortSignal.timeout(limitMs);
  const signal = AbortSignal.any([off, late]);
  for (let attempt = 1;; attempt++) {
    try {
      return await readOnce(link, { ...question, signal });
    } catch (error) {
      off.throwIfAborted();
      if (late.aborted) {
        const detail = `The pod has not answered in ${limitMs / 1000} s`;
        throw new RefusedError("timeout", detail, { cause: error });
      }
      if (attempt === attempts) throw error;
      await pause(pauseMs, { clock: systemClock, signal });
    }
  }
}

async function readOnce(
  link: Pick<ManagerLink, "use">,
  { intercept, container, signal }: EnvironmentQuestion,
): Promise<ContainerEnvironment> {
  const wanted = { kind: "environment", container } as const;
  const opening = link.use((manager) =>
    manager.pod(intercept, wanted, { signal })
  );
  const stream = await unlessAborted(opening, signal);
  const close = () => stream.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    return JSON.parse(await readText(stream, { maxBytes }));
  } finally {
    signal.removeEventListener("abort", close);
    stream.close();
  }
}

/** What a process on the laptop is given. */
export function laptopEnvironment(
  environment: Readonly<Record<string, string>>,
  { id, container, mount }: {
    id: string;
    container: string;
    mount?: MountInfo | undefined;
  },
): Record<string, string> {
  return {
    ...Object.fromEntries(
      Object.entries(environment).filter(([name]) => !ofThePod.has(name)),
    ),
    TELEPRESENCE_CONTAINER: container,
    TELEPRESENCE_INTERCEPT_ID: id,
    ...mount?.local_dir === undefined ? {} : {
      TELEPRESENCE_ROOT: mount.local_dir,
      TELEPRESENCE_MOUNTS: mount.mounts.join(":"),
    },
  };
}
