/** Mounts an SFTP stream by the user's own sshfs. */
import { type Conn, pipe } from "../../net/mod.ts";
import { ChildConn } from "./child_conn.ts";
import { withoutLinks } from "./sftp_guard.ts";

/** From the start of sshfs to the mount: it asks the server once. */
const mountMs = 10_000;
/** How long sshfs may take to end by itself. */
const endMs = 2_000;
/** Of what sshfs says, so much is kept. */
const textLimit = 2048;

/** How the mounts of this program are called in /proc/mounts. */
const sourcePrefix = "tp:";

export interface SshfsOptions {
  /** SFTP; it is closed when the mount is over. */
  readonly conn: Conn;
  /** An empty directory that the user may write to. */
  readonly root: string;
  /** What is mounted, a path that the server knows. */
  readonly directory: string;
  /** For who reads /proc/mounts. */
  readonly name: string;
  readonly isReadOnly: boolean;
  /** Ends the mount. */
  readonly signal: AbortSignal;
}

/** The system does not let the user mount, whatever the pod answers. */
export class NoFuseError extends Error {
  override readonly name = "NoFuseError";
}

/** Why nothing can be mounted on this laptop; undefined when it can. */
export async function sshfsTrouble(): Promise<string | undefined> {
  if (Deno.build.os === "darwin") return "on macOS nothing is mounted";
  for (const program of ["sshfs", "fusermount3"]) {
    if (await inPath(program)) continue;
    return `no ${program} in PATH; install sshfs`;
  }
  try {
    (await Deno.open("/dev/fuse", { read: true, write: true })).close();
    return undefined;
  } catch (error) {
    return error instanceof Deno.errors.NotFound
      ? "no /dev/fuse: this system has no FUSE"
      : "/dev/fuse is not open to this user";
  }
}

/**
 * Mounts until the stream ends, `signal` aborts, or the mount is taken away.
 *
 * Links are followed in the pod's container for files (`follow_symlinks`): what they lead to is never looked for on the
 * laptop, whatever the server tells. All files are shown as the user's own, and nobody else may enter. When this process is killed sshfs finds the
 * end of its input, and when sshfs is killed its fusermount3 does: both take the mount away.
 *
 * @param onMounted called once the volumes can be read
 * @throws {NoFuseError} with what fusermount3 said, if it refused
 * @throws {Error} with what sshfs said, if it did not come so far
 */
export async function mountSshfs(
  { conn, root, directory, name, isReadOnly, signal }: SshfsOptions,
  onMounted: () => void,
): Promise<void> {
  const options = [
    "passive",
    "follow_symlinks",
    "auto_unmount",
    "dcache_timeout=2",
    `fsname=${sourcePrefix}${name.replaceAll(/[^\w.-]+/g, "-")}`,
    `uid=${Deno.uid()}`,
    `gid=${Deno.gid()}`,
    ...(isReadOnly ? ["ro"] : []),
  ];
  const child = new Deno.Command("sshfs", {
    args: [`:${directory}`, root, "-f", "-o", options.join(",")],
    env: { LC_ALL: "C" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    // The terminal's interrupt is not for it.
    detached: true,
  }).spawn();
  const said = lastWords(child.stderr);
  const joined = pipe(withoutLinks(conn), new ChildConn(child));
  let hasEnded = false;
  const ended = child.status.then(() => {
    hasEnded = true;
    conn.reset();
  });
  const aborted = Promise.withResolvers<void>();
  const onAbort = () => aborted.resolve();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const isMountedInTime = await until(() => isMounted(root), {
      atMostMs: mountMs,
      unless: () => hasEnded || signal.aborted,
    });
    if (signal.aborted) return;
    if (isMountedInTime) {
      onMounted();
      await Promise.race([ended, aborted.promise]);
      return;
    }
    if (!hasEnded) throw new Error("Cannot mount: the pod does not answer");
    const words = (await said).trim() || "sshfs ended without a word";
    const isRefused = /^(fusermount|fuse:)/m.test(words);
    throw new (isRefused ? NoFuseError : Error)(`Cannot mount: ${words}`);
  } finally {
    signal.removeEventListener("abort", onAbort);
    await unmount(root);
    // Programs that still have files open hold sshfs up, but for the end of the stream.
    conn.reset();
    if (!await until(() => hasEnded, { atMostMs: endMs })) {
      child.kill("SIGKILL");
    }
    await Promise.all([ended, joined, said]);
    // Of an sshfs that was killed.
    await unmount(root);
  }
}

/**
 * Takes a mount of {@link mountSshfs} away, also from under programs that use it: they are told that it is gone. Does
 * nothing where there is none.
 */
export async function unmount(root: string): Promise<void> {
  if (!await isMounted(root)) return;
  for (const lazily of [[], ["-z"]]) {
    const { success } = await new Deno.Command("fusermount3", {
      args: ["-u", "-q", ...lazily, root],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output().catch(() => ({ success: false }));
    if (success) return;
  }
}

/** Whether one of this program's mounts is at `root`. Asks the kernel, never the mount. */
export async function isMounted(root: string): Promise<boolean> {
  if (Deno.build.os === "darwin") return false;
  const mounts = await Deno.readTextFile("/proc/self/mountinfo");
  return mounts.split("\n").some((line) => {
    const [place, filesystem] = line.split(" - ");
    const point = place?.split(" ")[4]?.replace(
      /\\(\d{3})/g,
      (_, octal) => String.fromCharCode(parseInt(octal, 8)),
    );
    return point === root &&
      filesystem?.startsWith(`fuse.sshfs ${sourcePrefix}`) === true;
  });
}

async function inPath(program: string): Promise<boolean> {
  for (const directory of (Deno.env.get("PATH") ?? "").split(":")) {
    const found = await Deno.stat(`${directory || "."}/${program}`)
      .catch(() => undefined);
    if (found?.isFile && (found.mode! & 0o111) !== 0) return true;
  }
  return false;
}

/** Resolves to true once `condition` holds. */
async function until(
  condition: () => boolean | Promise<boolean>,
  { atMostMs, unless = () => false }: {
    atMostMs: number;
    unless?: () => boolean;
  },
): Promise<boolean> {
  const end = performance.now() + atMostMs;
  for (;;) {
    if (await condition()) return true;
    if (unless() || performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function lastWords(stream: ReadableStream<Uint8Array>): Promise<string> {
  let words = "";
  const text = stream.pipeThrough(
    new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>,
  );
  for await (const part of text) words = (words + part).slice(-textLimit);
  return words;
}
