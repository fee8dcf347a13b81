/**
 * `/etc/resolv.conf` as the host's resolver.
 *
 * 1. The original is kept by a second name beside it, a hard link: mode, owner, times, and that it may be a symbolic link
 *    need no record, and bringing it back is one rename.
 * 2. Our text is written to a file of its own, which is renamed over the original: readers see one or the other.
 * 3. Where the file is a mount point (containers) neither is possible: its octets are copied to the state directory and it
 *    is written in place.
 * 4. What somebody else writes meanwhile (a DHCP client) is the original from then on, unless it cannot be changed: it may
 *    be laid over ours for a while (a read-only mount), and the original is still wanted then.
 */
import type { Ip } from "../../net/mod.ts";
import {
  composeResolvConf,
  isComposed,
  stripResolvConf,
} from "./_resolv_conf_text.ts";
import { type ResolverEdge, ResolverError } from "./edge.ts";
import { parseResolvConf } from "./resolv_conf.ts";

export {
  composeResolvConf,
  marker,
  openresolvSignature,
} from "./_resolv_conf_text.ts";

/** Where the file and what belongs to it are. */
export interface ResolvConfPaths {
  readonly file: string;
  /** Second name of the original, in the directory of the file. */
  readonly original: string;
  /** Octets of the original where the file is a mount point, in a directory of root's own. */
  readonly copy: string;
}

/** What stands in the file, and how the files looked then. */
interface Applied {
  nameserver: Ip;
  stamp: string;
  sourceStamp: string;
}

export class ResolvConfEdge implements ResolverEdge {
  readonly #paths: ResolvConfPaths;
  #applied: Applied | undefined;

  constructor(paths: ResolvConfPaths) {
    this.#paths = paths;
  }

  async apply({ nameserver }: { nameserver: Ip }): Promise<void> {
    await this.restore();
    try {
      await this.#save();
      await this.#compose(nameserver);
    } catch (error) {
      // Nothing of ours stands in the file, so this only forgets what was saved.
      await this.restore();
      throw toResolverError(error);
    }
  }

  async restore(): Promise<void> {
    this.#applied = undefined;
    await restoreResolvConf(this.#paths);
  }

  async follow(): Promise<void> {
    const applied = this.#applied;
    if (applied === undefined) return;
    const { file } = this.#paths;
    const stamp = await stampOf(file);
    if (stamp === undefined) return; // about to be replaced: the next call sees by what
    if (stamp !== applied.stamp) {
      const text = await readIfThere(file);
      if (text !== undefined && !isComposed(text)) {
        return await this.#applyAnew(applied);
      }
      this.#applied = { ...applied, stamp };
    }
    if (await this.#sourceStamp() !== applied.sourceStamp) {
      await this.#compose(applied.nameserver).catch((error) => {
        throw toResolverError(error);
      });
    }
  }

  async nameservers(): Promise<readonly Ip[]> {
    return parseResolvConf(await this.#source()).nameservers;
  }

  /** The file is somebody else's. When that cannot be changed, the next call finds it as it does now. */
  async #applyAnew(applied: Applied): Promise<void> {
    try {
      await this.#save();
      await this.#compose(applied.nameserver);
    } catch (error) {
      this.#applied = { ...applied, stamp: "" };
      throw toResolverError(error);
    }
  }

  /**
   * Keeps the file as the original. What was kept stays when this can neither be replaced nor written, or is ours: what was
   * laid over it may be gone since it was looked at.
   */
  async #save(): Promise<void> {
    const { file, original, copy } = this.#paths;
    const next = temporaryOf(file);
    await removeIfThere(next);
    try {
      await Deno.link(file, next);
      if (await holdsResolvConf(next)) return;
      await Deno.rename(next, original);
      await removeIfThere(copy);
    } catch (error) {
      const { isSymlink } = await Deno.lstat(file);
      if (isSymlink || !cannotLink(error)) throw error;
      (await Deno.open(file, { write: true })).close();
      const bytes = await Deno.readFile(file);
      if (isComposed(new TextDecoder().decode(bytes))) return;
      await removeIfThere(original);
      await removeIfThere(copy);
      await writeNew(copy, bytes, { mode: 0o600 });
    } finally {
      // Two names of one file are not renamed.
      await removeIfThere(next);
    }
  }

  /** Writes our text over the file; the original is saved. */
  async #compose(nameserver: Ip): Promise<void> {
    const { file, original } = this.#paths;
    const text = composeResolvConf(await this.#source(), nameserver);
    const bytes = new TextEncoder().encode(text);
    if (await exists(original)) await replace(file, bytes, original);
    else await overwrite(file, bytes);
    this.#applied = {
      nameserver,
      stamp: await stampOf(file) ?? "",
      sourceStamp: await this.#sourceStamp(),
    };
  }

  /** What the host has by itself; a symbolic link that leads nowhere means an empty file. */
  async #source(): Promise<string> {
    const { file, original, copy } = this.#paths;
    for (const path of [original, copy]) {
      if (await exists(path)) return await readIfThere(path) ?? "";
    }
    return await readIfThere(file) ?? "";
  }

  /** Changes when the file changes that the original, a symbolic link, leads to. */
  async #sourceStamp(): Promise<string> {
    const found = await Deno.stat(this.#paths.original).catch(() => undefined);
    return stampText(found) ?? "";
  }
}

/**
 * Brings the original back when the file is one of ours, and forgets what was saved. A file that somebody else has written
 * stays. Needs no knowledge of who applied it, so it repairs after a process that was killed.
 */
export async function restoreResolvConf(paths: ResolvConfPaths): Promise<void> {
  const { file, original, copy } = paths;
  const text = await readIfThere(file);
  const isLost = text === undefined && !await exists(file);
  if (isLost || (text !== undefined && isComposed(text))) {
    if (await exists(original)) await Deno.rename(original, file);
    else if (await exists(copy)) {
      await overwrite(file, await Deno.readFile(copy));
    } else if (text !== undefined) {
      await overwrite(file, new TextEncoder().encode(stripResolvConf(text)));
    }
  }
  for (const path of [original, copy, temporaryOf(file)]) {
    await removeIfThere(path);
  }
}

/** Whether the file is one of ours. Needs no privilege. */
export async function holdsResolvConf(file: string): Promise<boolean> {
  return isComposed(await readIfThere(file) ?? "");
}

function temporaryOf(file: string): string {
  return `${file}.tp-next`;
}

/** Replaces a file by rename; mode and owner are those of `like`. */
async function replace(
  file: string,
  bytes: Uint8Array,
  like: string,
): Promise<void> {
  const temporary = temporaryOf(file);
  const found = await Deno.stat(like).catch(() => undefined);
  const { mode, uid, gid } = found ?? { mode: 0o644, uid: 0, gid: 0 };
  await removeIfThere(temporary);
  await writeNew(temporary, bytes, { mode: mode! & 0o7777 });
  await Deno.chown(temporary, uid, gid);
  await Deno.rename(temporary, file);
}

async function writeNew(
  path: string,
  bytes: Uint8Array,
  { mode }: { mode: number },
): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  await writeAll(file, bytes);
  await file.sync();
  await Deno.chmod(path, mode);
}

/**
 * Writes a file in place. The old octets are overwritten before the length changes, so that a full disk finds them still
 * allocated and they can be written back.
 */
async function overwrite(path: string, bytes: Uint8Array): Promise<void> {
  const before = await Deno.readFile(path);
  using file = await Deno.open(path, { write: true });
  try {
    await writeAll(file, bytes);
    await file.truncate(bytes.length);
  } catch (error) {
    await file.seek(0, Deno.SeekMode.Start);
    await writeAll(file, before);
    await file.truncate(before.length);
    throw error;
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await file.write(bytes.subarray(at));
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Does not follow a symbolic link: one that leads nowhere is there, too. */
async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

async function stampOf(path: string): Promise<string | undefined> {
  return stampText(await Deno.lstat(path).catch(() => undefined));
}

/** Changes with every way to write a file. */
function stampText(found: Deno.FileInfo | undefined): string | undefined {
  return found &&
    [found.ino, found.size, found.mtime?.getTime(), found.ctime?.getTime()]
      .join(" ");
}

/** The file is a mount point (its directory may be read-only), or its file system knows no second names. */
function cannotLink(error: unknown): boolean {
  return ["EXDEV", "EROFS", "EPERM", "ENOTSUP", "EOPNOTSUPP", "EMLINK"]
    .includes(codeOf(error));
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | undefined)?.code);
}

function toResolverError(error: unknown): ResolverError {
  if (error instanceof ResolverError) return error;
  const options = { cause: error };
  switch (codeOf(error)) {
    case "ENOENT":
      return new ResolverError(
        "resolver-missing",
        "Cannot set the resolver: the file is missing",
        options,
      );
    case "ENOSPC":
    case "EDQUOT":
      return new ResolverError(
        "disk-full",
        "Cannot set the resolver: the disk is full",
        options,
      );
    default:
      return new ResolverError(
        "resolver-unwritable",
        `Cannot set the resolver: ${
          error instanceof Error ? error.message : String(error)
        }`,
        options,
      );
  }
}
