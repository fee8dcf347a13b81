import { createHash } from "node:crypto";
import { join } from "node:path";
import { must, run } from "./command.ts";
import { cacheDir } from "./paths.ts";
import { step } from "./step.ts";
import { makeUnpacked } from "./unpacked.ts";

/** Debian packages that are installed: none of them starts a service or touches the host's resolver. */
export const installed = [
  "bind9-dnsutils", // dig, in laptops
  "buildah", // Dockerfile.manager
  "busybox-static", // image of tools; HTTP of the outside world
  "ca-certificates",
  "conntrack", // kube-proxy
  "curl",
  "dnsmasq-base", // DNS of the outside world
  "gcc", // clock.c, wan.c
  "iperf3",
  "iproute2",
  "iptables", // kube-proxy
  "iputils-ping", // in laptops
  "libc6-dev", // clock.c, wan.c
  "libseccomp2", // runc
  "libxml2", // PostgreSQL's server, for its image
  "nftables",
  "opendoas", // daemon, without a cluster
  "openssh-sftp-server", // volumes, without a cluster
  "openssl",
  "postgresql-client", // psql, in laptops
  "procps", // ps, sysctl
  "redis-tools", // redis-cli, and the server in the same binary
  "socat", // laptops of a cluster of TP_TEST_KUBECONFIG
  "sshfs", // volumes, in laptops
  "sudo", // in laptops
  "tcpdump",
  "traceroute", // in laptops
] as const;

/** Debian packages that are unpacked into the cache, so that nothing of them runs or stays on the host. */
export const unpacked = {
  /** What a node runs. */
  node: ["containerd", "runc", "etcd-server", "containernetworking-plugins"],
  /** What the base image of manager and agent is made of; these load nothing but libc. */
  base: [
    "libc6",
    "libgcc-s1",
    "ca-certificates",
    "dash",
    "openssh-sftp-server",
    "libnss-wrapper",
  ],
  /** A bus for services of a host. */
  bus: ["dbus-daemon", "libdbus-1-3", "libapparmor1", "libexpat1"],
  /** A host with systemd-resolved; it needs a bus, too. */
  resolved: ["systemd-resolved", "libsystemd-shared", "libnss-resolve"],
  /** Others that write a host's `/etc/resolv.conf`. */
  openresolv: ["openresolv"],
  resolvconf: ["resolvconf"],
  /** NetworkManager needs a bus, too. */
  networkManager: ["network-manager"],
  /** The same as in `base`; these load libraries of other packages. */
  baseWithLibraries: ["coreutils", "nftables", "socat"],
} as const;

const aptEnv = { DEBIAN_FRONTEND: "noninteractive" };
const aptTimeoutMs = 300_000;

/** Installs what is missing of {@link installed}, naming it before. */
export async function installPackages(): Promise<void> {
  const missing = await missingPackages(installed);
  if (missing.length === 0) return;
  await step(
    `installing Debian packages ${missing.join(" ")}`,
    async () => {
      await updateLists();
      await must(
        ["apt-get", "install", "-qq", "-y", "--no-install-recommends"].concat(
          missing,
        ),
        { env: aptEnv, timeoutMs: aptTimeoutMs },
      );
    },
    { long: true },
  );
}

/** @returns the directory that holds the unpacked packages, `usr/bin` and all */
export async function unpackPackages(
  names: readonly string[],
): Promise<string> {
  const release = await Deno.readTextFile("/etc/os-release");
  const key = createHash("sha256").update(release + names.join(" ")).digest(
    "hex",
  );
  const directory = join(cacheDir, `debian-${key.slice(0, 12)}`);
  if (await exists(directory)) return directory;
  await step(
    `unpacking Debian packages ${names.join(" ")}`,
    () => makeUnpacked(directory, (scratch) => download(names, scratch)),
    { long: true },
  );
  return directory;
}

/**
 * The packages of the libraries that programs of packages load. Those are asked for what they depend on: what a library
 * package is called changes from one Debian to the next.
 */
export async function libraryPackages(
  names: readonly string[],
): Promise<string[]> {
  const depends = async () =>
    (await must(
      ["apt-cache", "depends", "--recurse", "--important", ...names],
    )).split("\n").filter((line) => /^lib[a-z0-9]/.test(line));
  let found = await depends();
  if (found.length === 0) {
    await updateLists();
    found = await depends();
  }
  return [...new Set(found)].sort();
}

async function download(
  names: readonly string[],
  directory: string,
): Promise<void> {
  const command = ["apt-get", "-qq", "download", ...names];
  const options = { cwd: directory, timeoutMs: aptTimeoutMs };
  if ((await run(command, options)).code === 0) return;
  await updateLists();
  await must(command, options);
}

async function missingPackages(names: readonly string[]): Promise<string[]> {
  const format = "-f=${Package} ${db:Status-Status}\n";
  const { stdout } = await run(["dpkg-query", "-W", format, ...names]);
  const present = new Set(
    stdout.split("\n").filter((line) => line.endsWith(" installed")).map(
      (line) => line.split(" ")[0],
    ),
  );
  return names.filter((name) => !present.has(name));
}

let updated = false;

async function updateLists(): Promise<void> {
  if (updated) return;
  await must(["apt-get", "update", "-qq"], {
    env: aptEnv,
    timeoutMs: aptTimeoutMs,
  });
  updated = true;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
