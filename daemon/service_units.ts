/** The daemon as a service of systemd: it starts when a connector comes, and ends with it. */
import { serviceSocketPath } from "./api.ts";

export const socketUnit = "tp-daemon.socket";
export const serviceUnit = "tp-daemon.service";
export const unitDirectory = "/etc/systemd/system";

/** What the daemon uses of root's power: routes and devices; the resolver's file and our directories, whoever owns them. */
const capabilities = [
  "CAP_NET_ADMIN",
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FOWNER",
  "CAP_KILL",
];

/** Name of a group as useradd(8) allows it: nothing that a unit reads otherwise. */
export function isGroupName(text: string): boolean {
  return /^[a-z_][a-z0-9_-]{0,31}$/i.test(text);
}

/** Text of each unit by its name. Only `group` may open the socket. */
export function serviceUnits(
  { group, program }: { group: string; program: readonly string[] },
): Record<string, string> {
  return {
    [socketUnit]: `[Unit]
Description=Socket of the tp daemon, for group ${group}

[Socket]
ListenSequentialPacket=${serviceSocketPath}
SocketUser=root
SocketGroup=${group}
SocketMode=0660
RemoveOnStop=yes

[Install]
WantedBy=sockets.target
`,
    // The guard outlives the daemon that it undoes (KillMode). Connections may follow each other fast (StartLimit).
    [serviceUnit]: `[Unit]
Description=tp daemon: TUN device, routes and resolver of a connection
StartLimitIntervalSec=0

[Service]
ExecStart=${program.map(quoteWord).join(" ")} daemon-foreground
ExecStopPost=${program.map(quoteWord).join(" ")} daemon-repair
KillMode=process
NoNewPrivileges=yes
CapabilityBoundingSet=${capabilities.join(" ")}
`,
  };
}

/** The group that a socket's unit opens it to. */
export function groupOf(unit: string): string | undefined {
  return /^SocketGroup=(\S+)$/m.exec(unit)?.[1];
}

/** A word of a command line as systemd.service(5) reads it. */
function quoteWord(word: string): string {
  const escaped = word.replace(/[\\"]/g, "\\$&").replaceAll("%", "%%")
    .replaceAll("$", "$$$$");
  return /^[\w@./:+,=%-]+$/.test(escaped) ? escaped : `"${escaped}"`;
}
