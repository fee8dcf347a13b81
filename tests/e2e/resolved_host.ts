/** systemd-resolved on a test's host: the real one, with a bus of its own and nothing else of systemd. */
import assert from "node:assert/strict";
import { unpacked } from "../cluster/packages.ts";
import type { Child } from "./daemon_namespace.ts";
import { startBus } from "./host_bus.ts";
import { addPackages, type OwnHost, start } from "./own_host.ts";
import { eventually } from "./daemon_connected.ts";

/** Who asks it: programs by its stub, named by the file, or the C library by its own module. */
export type Way = "stub" | "nss";

const filesOf = (nameserver: string): Record<Way, string> => ({
  stub: `ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
    printf 'hosts: files dns\\n' >/etc/nsswitch.conf`,
  nss: `printf 'nameserver ${nameserver}\\n' >/etc/resolv.conf
    printf 'hosts: files resolve [!UNAVAIL=return] dns\\n' >/etc/nsswitch.conf`,
});

/** How `tp status` tells of a host that it chose systemd-resolved for. */
export const reasons: Record<Way, string> = {
  stub: "/etc/resolv.conf leads to systemd-resolved",
  nss: "/etc/nsswitch.conf leads to systemd-resolved",
};

/** The packages that {@link runResolved} takes. */
export const resolvedPackages = [...unpacked.resolved, ...unpacked.bus];

export interface Resolved extends AsyncDisposable {
  /** As an upgrade of its package does it. What it was told by programs is forgotten. */
  restart(): Promise<void>;
}

/** Starts it, and a bus for it. @param nameserver The host's own: the office's unless told. */
export async function startResolved(
  host: OwnHost,
  way: Way,
  nameserver = "192.0.2.53",
): Promise<Resolved> {
  await addPackages(host, resolvedPackages);
  const bus = await startBus(host);
  const resolved = await runResolved(host, way, nameserver);
  return {
    restart: () => resolved.restart(),
    async [Symbol.asyncDispose]() {
      await resolved[Symbol.asyncDispose]();
      await bus[Symbol.asyncDispose]();
    },
  };
}

/** Starts it on a host that has its packages and a bus. @param nameserver Empty: it learns one later. */
export async function runResolved(
  host: OwnHost,
  way: Way,
  nameserver: string,
): Promise<Resolved> {
  const said = await host.sh(`set -e
    echo 'systemd-resolve:x:997:997::/:/bin/false' >>/etc/passwd
    echo 'systemd-resolve:x:997:' >>/etc/group
    mkdir -p /run/systemd/resolve /etc/systemd
    # It makes the second when it is first told of a link, and lets it stay.
    mkdir -m 700 /run/systemd/resolve/netif
    chown -R 997:997 /run/systemd/resolve
    printf '[Resolve]\\nDNS=${nameserver}\\nFallbackDNS=\\nLLMNR=no\\nMulticastDNS=no\\n' >/etc/systemd/resolved.conf
    ${filesOf(nameserver)[way]}
  `);
  assert.equal(said, "");
  let resolved = await startService(host);
  return {
    async restart() {
      await resolved[Symbol.asyncDispose]();
      await host.sh("rm -f /run/systemd/resolve/netif/*");
      resolved = await startService(host);
    },
    [Symbol.asyncDispose]: () => resolved[Symbol.asyncDispose](),
  };
}

async function startService(host: OwnHost): Promise<Child> {
  const resolved = await start(
    host,
    "env SYSTEMD_LOG_LEVEL=err /lib/systemd/systemd-resolved",
  );
  await eventually(
    () => host.sh("resolvectl status >/dev/null 2>&1 && echo -n up"),
    "up",
    5_000,
  );
  return resolved;
}

/** What systemd-resolved knows of the device. */
export async function linkDomains(host: OwnHost): Promise<string> {
  const text = await host.read(["resolvectl", "domain", "tp0"]);
  const domains = /^Link \d+ \(tp0\):([^]*)$/.exec(text)?.[1];
  assert.ok(domains !== undefined, text);
  return domains.trim().split(/\s+/).join(" ");
}
