/** systemd-resolved on a test's host: the real one, with a bus of its own and nothing else of systemd. */
import assert from "node:assert/strict";
import { unpacked } from "../cluster/packages.ts";
import { addPackages, type OwnHost } from "./host_packages.ts";
import type { Child } from "./daemon_namespace.ts";
import { eventually } from "./daemon_connected.ts";

/** Who asks it: programs by its stub, named by the file, or the C library by its own module. */
export type Way = "stub" | "nss";

const busPath = "/run/dbus/system_bus_socket";

/** The bus lets everybody say everything, and resolved own its name. */
const busConfig = `<busconfig>
  <type>system</type>
  <listen>unix:path=${busPath}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_type="method_call"/>
    <allow receive_type="method_return"/><allow receive_type="error"/><allow receive_type="signal"/>
    <allow send_type="signal"/><allow send_requested_reply="true"/>
  </policy>
</busconfig>
`;

const filesOf = (nameserver: string): Record<Way, string> => ({
  stub: `ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
    printf 'hosts: files dns\\n' >/etc/nsswitch.conf`,
  nss: `printf 'nameserver ${nameserver}\\n' >/etc/resolv.conf
    printf 'hosts: files resolve [!UNAVAIL=return] dns\\n' >/etc/nsswitch.conf`,
});

/** Starts it. @param nameserver The host's own: the office's unless told. */
export async function startResolved(
  host: OwnHost,
  way: Way,
  nameserver = "192.0.2.53",
): Promise<AsyncDisposable> {
  await addPackages(host, unpacked.resolved);
  const said = await host.sh(`set -e
    echo 'systemd-resolve:x:997:997::/:/bin/false' >>/etc/passwd
    echo 'systemd-resolve:x:997:' >>/etc/group
    mkdir -p /run/dbus /run/systemd/resolve /etc/systemd
    chown 997:997 /run/systemd/resolve
    printf '[Resolve]\\nDNS=${nameserver}\\nLLMNR=no\\nMulticastDNS=no\\n' >/etc/systemd/resolved.conf
    cat >/etc/bus.conf <<'END'\n${busConfig}END
    ${filesOf(nameserver)[way]}
  `);
  assert.equal(said, "");
  const bus = await start(
    host,
    "dbus-daemon --config-file=/etc/bus.conf --nofork --nopidfile",
  );
  await eventually(() => host.sh(`[ -S ${busPath} ] && echo -n up`), "up");
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

async function start(host: OwnHost, command: string): Promise<Child> {
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

/** What systemd-resolved knows of the device. */
export async function linkDomains(host: OwnHost): Promise<string> {
  const text = await host.read(["resolvectl", "domain", "tp0"]);
  const domains = /^Link \d+ \(tp0\):([^]*)$/.exec(text)?.[1];
  assert.ok(domains !== undefined, text);
  return domains.trim().split(/\s+/).join(" ");
}
