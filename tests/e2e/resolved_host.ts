/** systemd-resolved on a test's host: the real one, with a bus of its own and nothing else of systemd. */
import assert from "node:assert/strict";
import { unpacked } from "../cluster/packages.ts";
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

/** Starts it. @param nameserver The host's own: the office's unless told. */
export async function startResolved(
  host: OwnHost,
  way: Way,
  nameserver = "192.0.2.53",
): Promise<AsyncDisposable> {
  await addPackages(host, [...unpacked.resolved, ...unpacked.bus]);
  const said = await host.sh(`set -e
    echo 'systemd-resolve:x:997:997::/:/bin/false' >>/etc/passwd
    echo 'systemd-resolve:x:997:' >>/etc/group
    mkdir -p /run/systemd/resolve /etc/systemd
    # It makes the second when it is first told of a link, and lets it stay.
    mkdir -m 700 /run/systemd/resolve/netif
    chown -R 997:997 /run/systemd/resolve
    printf '[Resolve]\\nDNS=${nameserver}\\nLLMNR=no\\nMulticastDNS=no\\n' >/etc/systemd/resolved.conf
    ${filesOf(nameserver)[way]}
  `);
  assert.equal(said, "");
  const bus = await startBus(host);
  const resolved = await start(
    host,
    "env SYSTEMD_LOG_LEVEL=err /lib/systemd/systemd-resolved",
  );
  await eventually(
    () => host.sh("resolvectl status >/dev/null 2>&1 && echo -n up"),
    "up",
    5_000,
  );
  return {
    async [Symbol.asyncDispose]() {
      await resolved[Symbol.asyncDispose]();
      await bus[Symbol.asyncDispose]();
    },
  };
}

/** What systemd-resolved knows of the device. */
export async function linkDomains(host: OwnHost): Promise<string> {
  const text = await host.read(["resolvectl", "domain", "tp0"]);
  const domains = /^Link \d+ \(tp0\):([^]*)$/.exec(text)?.[1];
  assert.ok(domains !== undefined, text);
  return domains.trim().split(/\s+/).join(" ");
}
