import { dirname } from "node:path";
import { privateCopies } from "./mounts.ts";
import { outside } from "./outside.ts";

/** Whose commands a laptop runs. `tp-test` is an ordinary user who may use sudo without a password. */
export type LaptopUser = "root" | "tp-test";

/** An account of a laptop. */
export interface Account {
  readonly uid: number;
  readonly home: string;
  readonly runtimeDir: string;
}

export const accounts: Readonly<Record<LaptopUser, Account>> = {
  "root": { uid: 0, home: "/root", runtimeDir: "/run/user/0" },
  "tp-test": {
    uid: 42000,
    home: "/home/tp-test",
    runtimeDir: "/run/user/42000",
  },
};

/** What /etc/resolv.conf says unless a test chooses otherwise. */
export const defaultResolvConf = `# This laptop's own.
nameserver ${outside.dns.ipv4}
search corp.example.test example.test
options timeout:2 attempts:2
`;

/**
 * What is a laptop's own, as a shell script for a fresh mount namespace: /run empty; /etc, homes, /var/lib and
 * /var/cache as they are on the host, but what is written there stays here and ends with the laptop. /tmp is shared.
 * /dev/net/tun and /dev/fuse are open to users, as distributions have them; /sys shows the laptop's own interfaces.
 */
export function laptopMounts(number: number): string {
  return `hostname tp-lap-${number}
mount -t sysfs sysfs /sys
${privateCopies(["/etc", "/home", "/root", "/var/lib", "/var/cache"])}
if [ -e /dev/net/tun ]; then
  mknod -m 666 /run/tun c 10 200
  mount --bind /run/tun /dev/net/tun
fi
if [ -e /dev/fuse ]; then
  mknod -m 666 /run/fuse c 10 229
  mount --bind /run/fuse /dev/fuse
fi
mount -t tmpfs -o mode=755 tmpfs /run`;
}

/** The files of a laptop, as a shell script: resolver, hosts, accounts, sudo, a kubeconfig where tools look for it. */
export function laptopFiles(
  { number, resolvConf, hosts, kubeconfig }: {
    number: number;
    resolvConf: string;
    /** Added to /etc/hosts. */
    hosts: string;
    kubeconfig: string;
  },
): string {
  const { uid, home } = accounts["tp-test"];
  const host = `tp-lap-${number}`;
  const lines = [
    writeFile("/etc/resolv.conf", resolvConf, "644"),
    writeFile("/etc/hostname", `${host}\n`, "644"),
    writeFile(
      "/etc/hosts",
      `127.0.0.1 localhost\n::1 localhost\n127.0.1.1 ${host}\n${hosts}`,
      "644",
    ),
    `echo tp-test:x:${uid}:${uid}::${home}:/bin/bash >>/etc/passwd`,
    `echo tp-test:x:${uid}: >>/etc/group`,
    "echo 'tp-test:*:20000::::::' >>/etc/shadow",
    writeFile(
      "/etc/sudoers.d/tp-test",
      "tp-test ALL=(ALL:ALL) NOPASSWD: ALL\n",
      "440",
    ),
    "mkdir -p /run/lock /run/user",
    removeHostsTp(),
  ];
  for (const { uid, home, runtimeDir } of Object.values(accounts)) {
    lines.push(
      `rm -rf ${home}/.kube ${home}/.config/tp`,
      // The bed's own cache is there, too.
      `for i in ${home}/.cache/tp/*; do [ "\${i##*/}" = bed ] || rm -rf "$i"; done`,
      writeFile(`${home}/.kube/config`, kubeconfig, "600"),
      `mkdir -m 700 ${runtimeDir}`,
      `chown -R ${uid}:${uid} ${home}/.kube ${runtimeDir}`,
    );
  }
  lines.push(`chown ${uid}:${uid} ${home}`);
  return lines.join("\n");
}

/**
 * A shell command for a root filesystem that began as the host's: what a tp of the host's has, or left behind, is not there,
 * where it would be cleaned up as its own.
 */
export function removeHostsTp(root = ""): string {
  return "rm -rf".concat(
    ...[
      "/var/lib/tp",
      "/var/cache/tp",
      "/etc/resolv.conf.tp-original",
      "/etc/systemd/system/tp-daemon.*",
    ].map((path) => ` ${root}${path}`),
  );
}

/** A shell command that puts a fresh file in the place of whatever is there. */
export function writeFile(path: string, text: string, mode: string): string {
  return `mkdir -p ${dirname(path)}; rm -f ${path}; printf %s ${
    quote(text)
  } >${path}; chmod ${mode} ${path}`;
}

/** A word of a shell command. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
