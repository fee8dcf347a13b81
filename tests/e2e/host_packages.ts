/** Debian packages on a test's host alone: its `/usr` has them, the machine's has not. */
import assert from "node:assert/strict";
import type { Laptop } from "../cluster/mod.ts";
import { unpackPackages } from "../cluster/packages.ts";
import { Child } from "./daemon_namespace.ts";

/** A host with mounts of its own: a laptop beside the cluster, or a daemon's namespace. */
export interface OwnHost {
  /** What a script prints, on both ways. */
  sh(script: string): Promise<string>;
  /** What a program prints, on both ways. */
  read(command: string[]): Promise<string>;
  start(command: string[]): Child;
}

export function ownHost(laptop: Laptop): OwnHost {
  const read = async (command: string[]) => {
    const { stdout, stderr } = await laptop.run(command);
    return stdout + stderr;
  };
  return {
    read,
    sh: (script) => read(["bash", "-c", script]),
    start: (command) => new Child(laptop.command(command)),
  };
}

/**
 * Lays the packages over the host's `/usr`. They are copied to memory first: a laptop's home, where the cache may be, is
 * an overlay itself, and the kernel stacks no more than two.
 */
export async function addPackages(
  host: OwnHost,
  names: readonly string[],
): Promise<void> {
  const packages = await unpackPackages(names);
  const said = await host.sh(`set -e
    mount -t tmpfs none /mnt
    mkdir /mnt/usr
    cp -a ${packages}/usr/. /mnt/usr
    for directory in bin sbin lib; do
      [ ! -d ${packages}/$directory ] || { mkdir -p /mnt/usr/$directory; cp -a ${packages}/$directory/. /mnt/usr/$directory; }
    done
    mount -t overlay -o ro,lowerdir=/mnt/usr:/usr none /usr
  `);
  assert.equal(said, "");
}
