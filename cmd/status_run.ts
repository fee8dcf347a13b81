import type { Status } from "../connector/api.ts";
import type { Context } from "./_context.ts";
import { findConnector, mean, type RunningConnector } from "./_connector.ts";
import { formatValue } from "./_output.ts";
import { repairIfNeeded } from "./_repair.ts";
import { unservedText } from "./_short_names.ts";
import { transportText } from "./_transport.ts";
import { lastErrorText, trafficText } from "./_traffic.ts";
import { virtualTexts } from "./_virtual.ts";
import type { StatusFlags } from "./status.ts";

export default async function run(
  this: Context,
  flags: StatusFlags,
): Promise<void> {
  using connector = await findConnector();
  if (connector === undefined) {
    await repairIfNeeded((line) => this.process.stderr.write(line + "\n"));
  } else if (flags.use !== undefined) {
    mean(connector, { action: "tell its state", use: flags.use });
  }
  const all = connector ? statusesOf(connector) : [];
  const text = flags.output === "text"
    ? allText(all)
    : await formatValue(allValue(all), flags.output);
  this.process.stdout.write(text);
}

/** Of the connection that is meant, else of all in order of age; that of the connector when there is none. */
function statusesOf({ client, told }: RunningConnector): Status[] {
  const { connections, idle } = told;
  const { connection } = client;
  if (connections.length === 0) return [idle];
  return connections.filter(({ user_daemon: { name } }) =>
    connection === undefined || name === connection
  );
}

function allText(all: readonly Status[]): string {
  const [first, ...others] = all;
  if (first === undefined) return "Not connected\n";
  if (others.length === 0) return statusText(first);
  return all.map((one) =>
    `Connection ${one.user_daemon.name}\n${statusText(one)}`
  ).join("\n");
}

/** As one connection has it, and with several each whole beside the first. */
function allValue(all: readonly Status[]): object {
  const [first, ...others] = all;
  if (first === undefined) {
    return {
      user_daemon: { running: false, status: "Not connected" },
      root_daemon: { running: false },
    };
  }
  return others.length === 0 ? first : { ...first, connections: all };
}

/** What people read: the state on the first line, then indented facts. */
export function statusText(status: Status): string {
  const { user_daemon: user, root_daemon: root, traffic_manager: manager } =
    status;
  if (user.kubernetes_context === undefined) return `${user.status}\n`;
  const facts: [string, string | undefined][] = [
    ["Context", `${user.kubernetes_context} (${user.kubernetes_server})`],
    ["Name", user.name],
    ["Proxy", proxyText(status)],
    ["Intercepts", heldText(user.intercepts)],
    ["Replacements", heldText(user.replacements, "")],
    ["Wiretaps", heldText(user.wiretaps, "")],
    ["Ingests", heldText(user.ingests, "")],
    ["Proxied via", heldText(user.proxy_vias, "")],
    ["Namespace", user.namespace],
    ["Mapped", user.mapped_namespaces?.join(", ")],
    ["Manager", manager && managerText(manager, user.manager_namespace)],
    ["Session", manager && sessionText(manager.session)],
    ["Transport", transportText(status)],
    ["Not direct", manager && notDirectText(manager)],
    ["Device", root?.device],
    ["DNS", root && dnsText(root.dns)],
    ["Domain", root?.dns.cluster_domain],
    ["Not sent", root && refusedText(root.dns)],
    ["Short names", unservedText(status)],
    ...(root ? dnsSettingsFacts(root.dns) : []),
    ["Nameservers", root?.dns.nameservers.join(", ") || "none of the host"],
    ["Ping", pingText(status)],
    ["Subnets", root?.subnets.join(", ") || "none"],
    ["Also proxied", root && proxiedText(root, "also")],
    ["Never proxied", root && proxiedText(root, "never")],
    ...virtualTexts(status).map((text): [string, string] => ["Virtual", text]),
    ...(root?.skipped_subnets ?? []).map((
      { subnet, reason },
    ): [string, string] => [
      "Not routed",
      `${subnet} (${reason})`,
    ]),
    ["Traffic", trafficText(status)],
    ["Last error", lastErrorText(status)],
  ];
  const lines = facts
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `  ${`${name}:`.padEnd(14)} ${value}`);
  return [user.status, ...lines, ""].join("\n");
}

/** Told once a program has asked in vain. */
function pingText({ traffic }: Status): string | undefined {
  return traffic?.echo_unsupported
    ? "no answers (the manager may not send ICMP echo requests)"
    : undefined;
}

/** Subnets, each with the names that it is of, and names without address; `undefined` where there is none. */
function proxiedText(
  root: NonNullable<Status["root_daemon"]>,
  proxied: "also" | "never",
): string | undefined {
  const followed = root.followed_names.filter((one) => one.proxied === proxied);
  const texts = root[`${proxied}_proxy_subnets`].map((subnet) => {
    const [ip] = subnet.split("/");
    const names = followed.filter(({ addresses }) => addresses.includes(ip!))
      .map(({ name }) => name);
    return names.length > 0 ? `${ip} (${names.join(", ")})` : subnet;
  });
  const absent = followed.filter(({ addresses }) => addresses.length === 0)
    .map(({ name }) => `${name} (no address)`);
  return [...texts, ...absent].join(", ") || undefined;
}

function dnsText(dns: NonNullable<Status["root_daemon"]>["dns"]): string {
  const { vif_address: address, edge, edge_reason: reason } = dns;
  return `${address} in ${edge} (${reason})`;
}

const maxZonesShown = 10;

/** Zones that are not sent to the cluster matter where the host splits. */
function refusedText(
  { edge, refused_zones: zones }: NonNullable<Status["root_daemon"]>["dns"],
): string | undefined {
  if (edge === "/etc/resolv.conf" || zones.length === 0) return undefined;
  const others = zones.length - maxZonesShown;
  return zones.slice(0, maxZonesShown).join(", ") +
    (others > 0 ? ` and ${others} more` : "");
}

/** What the user says of DNS; what is not set is `undefined`. */
function dnsSettingsFacts(
  dns: NonNullable<Status["root_daemon"]>["dns"],
): [string, string | undefined][] {
  const aliases = dns.mappings?.map((one) => `${one.name} = ${one.aliasFor}`);
  return [
    ["Included", dns.include_suffixes?.join(", ")],
    [
      "Excluded",
      [
        ...(dns.excludes ?? []),
        ...(dns.exclude_suffixes ?? []).map((one) => `names under ${one}`),
      ].join(", ") || undefined,
    ],
    ["Mappings", aliases?.join(", ")],
  ];
}

/** Their number, and a line for each; `none` where there are none, nothing at all when that is empty. */
function heldText(
  all: Status["user_daemon"]["intercepts"],
  none = "0 total",
): string | undefined {
  if (all.length === 0) return none || undefined;
  const lines = all.map(({ name, client, disposition }) =>
    `\n    ${name}: ${client || "this laptop only"}${
      disposition === "ACTIVE" ? "" : ` (${disposition})`
    }`
  );
  return `${all.length} total${lines.join("")}`;
}

function proxyText({ user_daemon: { error } }: Status): string {
  return error === undefined
    ? "ON (networking to the cluster is enabled)"
    : `INTERRUPTED (${error}; trying again)`;
}

function managerText(
  manager: NonNullable<Status["traffic_manager"]>,
  namespace: string | undefined,
): string {
  const trip = manager.round_trip_ms;
  return `${manager.pod}.${namespace}, version ${manager.version}` +
    (trip === undefined ? "" : `, round trip ${trip.toFixed(1)} ms`);
}

function notDirectText(
  { transport, direct }: NonNullable<Status["traffic_manager"]>,
): string | undefined {
  return transport === "direct" ? undefined : direct?.reason;
}

function sessionText(
  { state, since, reason, carriers, moved_carriers: moved }: NonNullable<
    Status["traffic_manager"]
  >["session"],
): string {
  const words = [`${state} since ${since.slice(0, 19).replace("T", " ")} UTC`];
  if (reason !== undefined) words[0] += ` (${reason})`;
  const trips = carriers.map((one) => `${one.round_trip_ms.toFixed(1)} ms`);
  if (trips.length > 0) {
    const noun = trips.length === 1 ? "carrier" : "carriers";
    words.push(`${trips.length} ${noun} (${trips.join(", ")})`);
  }
  if (moved > 0) words.push(`${moved} given up before`);
  return words.join(", ");
}
