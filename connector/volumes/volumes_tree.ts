/** Which files of a pod's volumes can be copied: decided by what the SFTP server tells. */
import type { SftpClient } from "./sftp.ts";
import { type SftpAttributes, SftpStatusError } from "./sftp_packet.ts";

/** A file in a volume. */
export interface VolumeFile {
  /** Below the directory of all volumes, without a slash before it. */
  readonly path: string;
  readonly size: number;
  readonly isExecutable: boolean;
  /** Changes when the file does. */
  readonly stamp: string;
}

/** More files than this are no small volume. */
const fileLimit = 4096;
const depthLimit = 32;
const [kindMask, directoryKind, fileKind, linkKind] = [
  0o170000,
  0o040000,
  0o100000,
  0o120000,
];

/** What a path leads to, at the end of links. */
interface Place {
  readonly path: string;
  readonly real: string;
  readonly attributes: SftpAttributes;
}

export interface VolumeListing {
  /** Where the pod's container for files has all volumes, each at its mount path below this. */
  readonly directory: string;
  /** The mount path, "/" for all volumes. */
  readonly volume: string;
  readonly limitBytes: number;
}

/**
 * Lists the files of one volume. A link counts as what it leads to in the volumes, and does not where it leads out of
 * them or around; what kubelet names `..` is its own.
 *
 * @returns undefined when they are more than `limitBytes`, or too many
 */
export async function listVolume(
  client: SftpClient,
  { directory, volume, limitBytes }: VolumeListing,
): Promise<VolumeFile[] | undefined> {
  const files: VolumeFile[] = [];
  let bytes = 0;
  const walk = new Walk(client, directory, (file) => {
    files.push(file);
    bytes += file.size;
    return bytes <= limitBytes && files.length <= fileLimit;
  });
  return await walk.from(clean(volume)) ? files : undefined;
}

class Walk {
  constructor(
    readonly client: SftpClient,
    readonly directory: string,
    /** Returns false to end the walk. */
    readonly visit: (file: VolumeFile) => boolean,
  ) {}

  /** Resolves to false when it was ended. What cannot be read is passed over. */
  async from(path: string): Promise<boolean> {
    const place = await this.#resolve(path);
    return place === undefined || await this.#at(place, 0);
  }

  async #at(place: Place, depth: number): Promise<boolean> {
    if (isKind(place.attributes, fileKind)) return this.visit(describe(place));
    if (!isKind(place.attributes, directoryKind)) return true;
    if (depth >= depthLimit) return true;
    const below = await unlessRefused(() => this.#in(place)) ?? [];
    for (const found of below) {
      if (!await this.#at(found, depth + 1)) return false;
    }
    return true;
  }

  async #in({ path, real }: Place): Promise<Place[]> {
    const places: Place[] = [];
    for await (const entry of this.client.readDirectory(real)) {
      const { name, attributes } = entry;
      if (name === "" || name.startsWith("..") || /[/\0]/.test(name)) continue;
      const below = path === "" ? name : `${path}/${name}`;
      const place = isKind(attributes, linkKind)
        ? await this.#resolve(below)
        : { path: below, real: `${real}/${name}`, attributes };
      // A link to where it is, or above it, has no end.
      if (place === undefined || `${real}/`.startsWith(`${place.real}/`)) {
        continue;
      }
      places.push(place);
      if (places.length > fileLimit) break;
    }
    return places;
  }

  async #resolve(path: string): Promise<Place | undefined> {
    const full = path === "" ? this.directory : `${this.directory}/${path}`;
    const place = await unlessRefused(async () => ({
      path,
      real: await this.client.realPath(full),
      attributes: await this.client.stat(full),
    }));
    const isInside = `${place?.real}/`.startsWith(`${this.directory}/`);
    return isInside ? place : undefined;
  }
}

function describe({ path, real, attributes }: Place): VolumeFile {
  const { size = 0, mode = 0, modified = 0 } = attributes;
  const isExecutable = (mode & 0o111) !== 0;
  const stamp = `${real} ${size} ${mode} ${modified}`;
  return { path, size, isExecutable, stamp };
}

function isKind({ mode = 0 }: SftpAttributes, kind: number): boolean {
  return (mode & kindMask) === kind;
}

function clean(volume: string): string {
  return volume.split("/").filter((part) => !["", ".", ".."].includes(part))
    .join("/");
}

async function unlessRefused<T>(
  ask: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof SftpStatusError) return undefined;
    throw error;
  }
}
