/** A host with mounts of its own, on which a test puts programs that the machine has not. */
import assert from "node:assert/strict";
import type { Laptop } from "../cluster/mod.ts";
import { unpackPackages } from "../cluster/packages.ts";
import { Child } from "./daemon_namespace.ts";

/** A laptop beside the cluster, or a daemon's namespace. */
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
 *
 * @returns the directory that holds all of them
 */
export async function addPackages(
  host: OwnHost,
  names: readonly string[],
): Promise<string> {
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
  return packages;
}

/** Starts a program that stays. It is that, not a shell, by its pid. */
export async function start(host: OwnHost, command: string): Promise<Child> {
  const child = host.start(["sh", "-c", `echo started; exec ${command}`]);
  assert.equal(await child.line(), "started");
  return child;
}

/** The address of a name as programs find it; empty when there is none. */
export async function lookUp(
  host: OwnHost,
  name: string,
): Promise<string> {
  const text = await host.read(["timeout", "5", "getent", "ahostsv4", name]);
  return text.split(/\s/)[0]!;
}
