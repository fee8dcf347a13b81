/** Programs that write a host's `/etc/resolv.conf`: the real ones, told what the network said. */
import assert from "node:assert/strict";
import { unpacked } from "../cluster/packages.ts";
import {
  ownFiles,
  startNetworkManager,
  tellNetworkManager,
} from "./network_manager.ts";
import { reasons } from "./resolved_host.ts";
import { addPackages, type OwnHost } from "./own_host.ts";

export interface ResolverProgram {
  /** The way that is chosen where it runs, as `tp status` names it. */
  edge: "/etc/resolv.conf" | "systemd-resolved";
  /** Why, as `tp status` says it. */
  reason: string;
  /** Installs it, and starts what stays. */
  start(host: OwnHost): Promise<AsyncDisposable>;
  /** The network of the host has this nameserver now. */
  tell(host: OwnHost, nameserver: string): Promise<void>;
  /** Where the nameserver stands then. */
  file: string;
  /** Lines of a laptop's state that are its own to change. */
  ownFiles?: RegExp;
}

const resolvConf = {
  edge: "/etc/resolv.conf",
  file: "/etc/resolv.conf",
} as const;
const nothingRuns = { [Symbol.asyncDispose]: () => Promise.resolve() };

/** Both programs of the name take the same words. */
async function tellResolvconf(host: OwnHost, nameserver: string) {
  const text = `search corp.example.test\\nnameserver ${nameserver}\\n`;
  const said = await host.sh(`printf '${text}' | resolvconf -a eth0.dhcp`);
  assert.equal(said, "");
}

export const openresolv: ResolverProgram = {
  ...resolvConf,
  reason: "resolvconf writes it, and is followed",
  async start(host) {
    await addPackages(host, unpacked.openresolv);
    return nothingRuns;
  },
  tell: tellResolvconf,
};

/** The one that makes `/etc/resolv.conf` a link to a file of its own. */
export const resolvconf: ResolverProgram = {
  ...resolvConf,
  reason: "resolvconf writes it, and is followed",
  async start(host) {
    const packages = await addPackages(host, unpacked.resolvconf);
    const said = await host.sh(`set -e
      cp -a ${packages}/etc/resolvconf /etc
      mkdir -p /etc/default /run/resolvconf
      # It would say of every change that the link is not there.
      echo 'REPORT_ABSENT_SYMLINK=no' >/etc/default/resolvconf
      ln -sf ../run/resolvconf/resolv.conf /etc/resolv.conf
      resolvconf --enable-updates
    `);
    assert.equal(said, "");
    return nothingRuns;
  },
  tell: tellResolvconf,
};

export const networkManager: ResolverProgram = {
  ...resolvConf,
  reason: "NetworkManager writes it, and is followed",
  start: (host) => startNetworkManager(host, "default"),
  tell: tellNetworkManager,
  ownFiles,
};

/** What most desktops have. */
export const networkManagerWithResolved: ResolverProgram = {
  edge: "systemd-resolved",
  reason: reasons.stub,
  start: (host) => startNetworkManager(host, "systemd-resolved"),
  tell: tellNetworkManager,
  file: "/run/systemd/resolve/resolv.conf",
  ownFiles,
};
