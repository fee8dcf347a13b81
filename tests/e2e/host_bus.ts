/** A D-Bus of a test's host alone. */
import { eventually } from "./daemon_connected.ts";
import type { Child } from "./daemon_namespace.ts";
import { type OwnHost, start } from "./own_host.ts";

const busPath = "/run/dbus/system_bus_socket";

/** It lets everybody say everything, and own every name. */
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

/** Starts it. The host has the packages of it. */
export async function startBus(host: OwnHost): Promise<Child> {
  await host.sh(`mkdir /run/dbus; cat >/etc/bus.conf <<'END'\n${busConfig}END`);
  const bus = await start(
    host,
    "dbus-daemon --config-file=/etc/bus.conf --nofork --nopidfile",
  );
  await eventually(() => host.sh(`[ -S ${busPath} ] && echo -n up`), "up");
  return bus;
}
