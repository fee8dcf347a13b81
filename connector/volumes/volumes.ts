/**
 * A pod's volumes on the laptop.
 *
 * 1. A directory is made, or the user's own taken, and noted, so that the next command can clear it away should this
 *    process be killed.
 * 2. A stream of SFTP is opened to the pod's container for files, and mounted by sshfs; where that cannot be, small
 *    volumes are copied and followed.
 * 3. When the stream ends, as with its pod, another one is opened, and the same is done at the same place.
 * 4. Closing undoes all of it.
 */
import { logger } from "../../log.ts";
import { type Conn, pause, systemClock, unlessAborted } from "../../net/mod.ts";
import { volumesPath } from "../process/paths.ts";
import { VolumesCopy } from "./volumes_copy.ts";
import {
  clearVolumes,
  forgetVolumes,
  newRecordPath,
  noteVolumes,
  type VolumesRecord,
} from "./volumes_record.ts";
import {
  mountSshfs,
  NoFuseError,
  sshfsTrouble,
} from "./volumes_sshfs_linux.ts";

const log = logger("connector");

/** Where the agent's containers for files have volumes. */
export const volumesDirectory = "/tp/volumes";

/** How long the first stream may take before the volumes are given to the user without it. */
const firstMs = 10_000;
/** Between the end of a stream and the next one: the first, and the longest. */
const [retryMs, retryLimitMs] = [200, 5_000];

export interface VolumesOptions {
  /** Opens a stream to an SFTP server that has the volumes. Called again when the stream has ended. */
  readonly open: (options: { signal: AbortSignal }) => Promise<Conn>;
  /** Where the server has them, each at its mount path below this; default {@link volumesDirectory}. */
  readonly directory?: string;
  /** Their mount paths in the app's container; default: all together count as one. */
  readonly volumes?: readonly string[];
  /** Absolute: an empty directory, or one to be made; default: a fresh one that is the user's alone. */
  readonly mountPoint?: string;
  readonly isReadOnly: boolean;
  /** How the user calls what they belong to. */
  readonly name: string;
  /** "copy" where nothing shall be mounted, even though it can be. */
  readonly mode?: "mount" | "copy";
  /** Between two looks of the copy mode. */
  readonly lookMs?: number;
}

export interface Volumes extends AsyncDisposable {
  /** Absolute; nothing is in it while the pod does not answer. */
  readonly root: string;
  /** "copy" where they can be copied only. */
  readonly mode: "mount" | "copy";
  /** What is not as asked, at present. */
  readonly error: string | undefined;
  /** Unmounts, or removes the copies, and the directory if it was made. Idempotent. */
  close(): Promise<void>;
}

/**
 * Resolves once the volumes can be read, or it is known that they cannot: then {@link Volumes.error} tells why, and they
 * come when it has passed.
 *
 * @throws {Error} when the directory cannot be made or is not empty; nothing is left then
 */
export async function openVolumes(options: VolumesOptions): Promise<Volumes> {
  const record = await makeRoot(options);
  const path = newRecordPath();
  try {
    await noteVolumes(path, record);
    const trouble = options.mode === "copy" ? undefined : await sshfsTrouble();
    const volumes = new KeptVolumes(options, { path, record, trouble });
    await volumes.ready;
    return volumes;
  } catch (error) {
    await clearVolumes(record).catch(() => {});
    await forgetVolumes(path);
    throw error;
  }
}

/** Makes the directory, or looks at the user's. */
async function makeRoot(
  { mountPoint, name }: VolumesOptions,
): Promise<VolumesRecord> {
  if (mountPoint === undefined) {
    await Deno.mkdir(volumesPath(), { recursive: true, mode: 0o700 });
    const prefix = `${name.replaceAll(/[^\w.-]+/g, "-").slice(0, 64)}-`;
    const root = await Deno.makeTempDir({ dir: volumesPath(), prefix });
    return { root: await Deno.realPath(root), isMade: true, copies: [] };
  }
  let isMade = true;
  try {
    await Deno.mkdir(mountPoint, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) {
      const state = (error as Error).message;
      throw new Error(`Cannot mount volumes at "${mountPoint}": ${state}`);
    }
    isMade = false;
  }
  const root = await Deno.realPath(mountPoint);
  const problem = await problemOf(root);
  if (problem === undefined) return { root, isMade, copies: [] };
  throw new Error(`Cannot mount volumes at "${mountPoint}": ${problem}`);
}

async function problemOf(root: string): Promise<string | undefined> {
  if (!(await Deno.stat(root)).isDirectory) return "it is no directory";
  for await (const _ of Deno.readDir(root)) return "it is not empty";
  return undefined;
}

interface Kept {
  /** Of the record. */
  readonly path: string;
  readonly record: VolumesRecord;
  /** Why they are copied although they were to be mounted. */
  readonly trouble: string | undefined;
}

class KeptVolumes implements Volumes {
  readonly root: string;
  /** Resolves when the volumes are there, or cannot be for now. */
  readonly ready: Promise<void>;
  readonly #options: VolumesOptions;
  readonly #path: string;
  #trouble: string | undefined;
  readonly #abort = new AbortController();
  readonly #kept: Promise<void>;
  #record: VolumesRecord;
  #error: string | undefined = "the pod has not answered yet";
  #closed: Promise<void> | undefined;

  constructor(options: VolumesOptions, { path, record, trouble }: Kept) {
    this.#options = options;
    this.#path = path;
    this.#record = record;
    this.#trouble = trouble;
    this.root = record.root;
    const first = Promise.withResolvers<void>();
    this.#kept = this.#keep(first.resolve);
    const late = new AbortController();
    this.ready = Promise.race([
      first.promise,
      pause(firstMs, { clock: systemClock, signal: late.signal }),
    ])
      .finally(() => late.abort());
  }

  get mode(): "mount" | "copy" {
    const { mode = "mount" } = this.#options;
    return this.#trouble === undefined ? mode : "copy";
  }

  get error(): string | undefined {
    const copied = this.#trouble &&
      `${this.#trouble}; volumes of up to 16 MiB are copied`;
    const reasons = [copied, this.#error].filter((reason) =>
      reason !== undefined
    );
    return reasons.length === 0
      ? undefined
      : `Volume Mount Error: ${reasons.join("; ")}`;
  }

  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#abort.abort();
    await this.#kept;
    await clearVolumes(this.#record);
    await forgetVolumes(this.#path);
  }

  async #keep(onFirst: () => void): Promise<void> {
    const { signal } = this.#abort;
    const [mount, copy] = [this.#mount(), this.#copy()];
    let waitMs = retryMs;
    while (!signal.aborted) {
      try {
        const conn = await unlessAborted(this.#openLate(signal), signal);
        const serve = this.mode === "mount" ? mount : copy;
        await serve(conn, (error) => {
          this.#error = error;
          waitMs = retryMs;
          onFirst();
        });
        this.#error = "the pod's stream has ended";
      } catch (error) {
        this.#error = (error as Error).message;
        if (error instanceof NoFuseError) {
          this.#trouble = error.message;
          continue;
        }
      }
      if (signal.aborted) break;
      log.info("volumes are away", {
        name: this.#options.name,
        error: this.#error,
      });
      onFirst();
      await pause(waitMs, { clock: systemClock, signal });
      waitMs = Math.min(waitMs * 2, retryLimitMs);
    }
    onFirst();
  }

  /** A stream that comes when nobody waits for it is closed. */
  async #openLate(signal: AbortSignal): Promise<Conn> {
    const conn = await this.#options.open({ signal });
    if (signal.aborted) conn.reset();
    return conn;
  }

  /** What is done with one stream: `tell` is called whenever the volumes are there, with what is amiss nevertheless. */
  #mount(): (conn: Conn, tell: Tell) => Promise<void> {
    const { name, isReadOnly } = this.#options;
    const [root, directory] = [this.root, this.#directory];
    const { signal } = this.#abort;
    const options = { root, directory, name, isReadOnly, signal };
    return (conn, tell) =>
      mountSshfs({ ...options, conn }, () => tell(undefined));
  }

  #copy(): (conn: Conn, tell: Tell) => Promise<void> {
    const { volumes = ["/"], lookMs } = this.#options;
    const copy = new VolumesCopy({
      root: this.root,
      directory: this.#directory,
      volumes,
      ...(lookMs === undefined ? {} : { lookMs }),
      onCopies: async (copies) => {
        this.#record = { ...this.#record, copies };
        await noteVolumes(this.#path, this.#record);
      },
    });
    const { signal } = this.#abort;
    const onCopied = (tell: Tell) => (tooLarge: readonly string[]) =>
      tell(
        tooLarge.length === 0
          ? undefined
          : `larger than 16 MiB, so not copied: ${tooLarge.join(", ")}`,
      );
    return async (conn, tell) => {
      const onAbort = () => conn.reset();
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        await copy.follow(conn, { signal, onCopied: onCopied(tell) });
      } finally {
        signal.removeEventListener("abort", onAbort);
      }
    };
  }

  get #directory(): string {
    return this.#options.directory ?? volumesDirectory;
  }
}

type Tell = (error: string | undefined) => void;
