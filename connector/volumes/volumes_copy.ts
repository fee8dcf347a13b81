/**
 * Copies small volumes to the laptop, where they cannot be mounted, and follows their changes.
 *
 * 1. What is in the volumes is listed, by SFTP.
 * 2. Files that are new or changed are read, each written beside its place and moved there; others are removed.
 * 3. After a while it begins again: a changed ConfigMap or Secret, a renewed token.
 */
import { dirname, join } from "node:path";
import { type Conn, pause, systemClock } from "../../net/mod.ts";
import { SftpClient } from "./sftp.ts";
import { SftpStatusError } from "./sftp_packet.ts";
import { unfinishedName } from "./volumes_record.ts";
import { listVolume, type VolumeFile } from "./volumes_tree.ts";

/** What one volume may hold to be copied. */
export const volumeLimitBytes = 16 * 1024 * 1024;
/** Between two looks at the volumes. */
const lookMs = 10_000;

export interface VolumesCopyOptions {
  /** The directory that the copies are put in. Nobody else writes there. */
  readonly root: string;
  /** Where the pod's container for files has the volumes. */
  readonly directory: string;
  /** Mount paths; one that holds too much is left out alone. */
  readonly volumes: readonly string[];
  readonly lookMs?: number;
  /** Called with the paths of all copies before one is made. */
  readonly onCopies: (paths: readonly string[]) => Promise<void>;
}

export class VolumesCopy {
  readonly #options: VolumesCopyOptions;
  /** What is copied: stamps by path. */
  readonly #copied = new Map<string, string>();

  constructor(options: VolumesCopyOptions) {
    this.#options = options;
  }

  /**
   * Copies over one stream, until it breaks or `signal` aborts.
   *
   * @param onCopied called after each round, with the volumes that were too large
   * @throws {Error} when the stream broke, or the laptop's disk has no room
   */
  async follow(
    conn: Conn,
    { signal, onCopied }: {
      signal: AbortSignal;
      onCopied: (tooLarge: readonly string[]) => void;
    },
  ): Promise<void> {
    using client = await SftpClient.open(conn);
    while (!signal.aborted) {
      onCopied(await this.#round(client));
      await pause(this.#options.lookMs ?? lookMs, {
        clock: systemClock,
        signal,
      });
    }
  }

  async #round(client: SftpClient): Promise<string[]> {
    const { root, directory, volumes, onCopies } = this.#options;
    const tooLarge: string[] = [];
    const present = new Map<string, VolumeFile>();
    for (const volume of volumes) {
      const limitBytes = volumeLimitBytes;
      const files = await listVolume(client, { directory, volume, limitBytes });
      if (files === undefined) tooLarge.push(volume);
      for (const file of files ?? []) present.set(file.path, file);
    }
    for (const path of this.#copied.keys()) {
      if (present.has(path)) continue;
      await Deno.remove(join(root, path)).catch(() => {});
      this.#copied.delete(path);
    }
    const isNew = (path: string) => !this.#copied.has(path);
    if ([...present.keys()].some(isNew)) await onCopies([...present.keys()]);
    for (const file of present.values()) await this.#bring(client, file);
    return tooLarge;
  }

  async #bring(client: SftpClient, file: VolumeFile): Promise<void> {
    if (this.#copied.get(file.path) === file.stamp) return;
    const source = `${this.#options.directory}/${file.path}`;
    let bytes: Uint8Array;
    try {
      bytes = await client.readFile(source, volumeLimitBytes);
    } catch (error) {
      // Gone meanwhile, or not for the app's user.
      if (error instanceof SftpStatusError) return;
      throw error;
    }
    const place = join(this.#options.root, file.path);
    await Deno.mkdir(dirname(place), { recursive: true, mode: 0o700 });
    const fresh = join(dirname(place), unfinishedName());
    const mode = file.isExecutable ? 0o700 : 0o600;
    await Deno.writeFile(fresh, bytes, { createNew: true, mode });
    await Deno.rename(fresh, place);
    this.#copied.set(file.path, file.stamp);
  }
}
