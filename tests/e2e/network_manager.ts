/** NetworkManager on a test's host: the real one, which looks after the host's link `eth0` as it is. */
import assert from "node:assert/strict";
import { libraryPackages, unpacked } from "../cluster/packages.ts";
import { eventually } from "./daemon_connected.ts";
import { startBus } from "./host_bus.ts";
import { addPackages, type OwnHost, start } from "./own_host.ts";
import { resolvedPackages, runResolved } from "./resolved_host.ts";

/** Who it tells of nameservers. */
export type Dns = "default" | "systemd-resolved";

/** Where it keeps what it knows; connections of others are in it, too. */
export const ownFiles = / \/(etc|run)\/NetworkManager\//;

/** Devices that come are in its sight: those of ours too. */
const config = (dns: Dns) =>
  `[main]
plugins=keyfile
dns=${dns}
auth-polkit=false
no-auto-default=*
hostname-mode=none
[keyfile]
unmanaged-devices=interface-name:cluster0;interface-name:lo
[connectivity]
enabled=false
[logging]
level=ERR
`;

/** The link's addresses and gateway of a family, as a keyfile has them. */
const family = (version: 4 | 6) => `
  echo '[ipv${version}]'
  echo method=manual
  echo "address1=$(ip -${version} -o addr show eth0 scope global | sed 's/.* inet6* //; s/ .*//')"
  echo "gateway=$(ip -${version} route show default dev eth0 | cut -d ' ' -f 3)"
`;

/** Starts it, with the systemd-resolved that it tells; the host has no nameserver before {@link tellNetworkManager}. */
export async function startNetworkManager(
  host: OwnHost,
  dns: Dns,
): Promise<AsyncDisposable> {
  const libraries = await libraryPackages(unpacked.networkManager);
  await addPackages(host, [
    ...unpacked.networkManager,
    // The other's package has a `resolvconf`, which would be asked instead of the file.
    ...dns === "systemd-resolved" ? resolvedPackages : unpacked.bus,
    // The others come with programs of the tests.
    ...libraries.filter((name) => /^lib(nm|ndp|curl)/.test(name)),
  ]);
  await using stack = new AsyncDisposableStack();
  stack.use(await startBus(host));
  if (dns === "systemd-resolved") {
    stack.use(await runResolved(host, "stub", ""));
  }
  const said = await host.sh(`set -e
    connections=/etc/NetworkManager/system-connections
    mkdir -p $connections /var/lib/NetworkManager
    printf '${config(dns)}' >/etc/NetworkManager/NetworkManager.conf
    {
      printf '[connection]\\nid=wire\\ntype=ethernet\\ninterface-name=eth0\\n'
      ${family(4)}
      ${family(6)}
    } >$connections/wire.nmconnection
    chmod 600 $connections/wire.nmconnection
  `);
  assert.equal(said, "");
  // Where /sys is read-only it does without udev.
  stack.use(
    await start(
      host,
      "unshare --mount sh -c 'mount -o remount,bind,ro /sys; exec NetworkManager --no-daemon'",
    ),
  );
  await eventually(
    () => host.sh("nmcli connection up wire >/dev/null 2>&1 && echo -n up"),
    "up",
    10_000,
  );
  const started = stack.move();
  return { [Symbol.asyncDispose]: () => started.disposeAsync() };
}

/** The link has this nameserver from now on. */
export async function tellNetworkManager(
  host: OwnHost,
  nameserver: string,
): Promise<void> {
  const version = nameserver.includes(":") ? 6 : 4;
  const said = await host.sh(`set -e
    nmcli connection modify wire ipv4.dns '' ipv6.dns '' ipv${version}.dns ${nameserver} \\
      ipv${version}.dns-search corp.example.test
    nmcli device reapply eth0 >/dev/null
  `);
  assert.equal(said, "");
}
