import { virtualTexts } from "../_virtual.ts";
import {
  type Check,
  type ConnectionFacts,
  failed,
  ok,
  type Verdict,
  warning,
} from "./check.ts";

/** From here on every connection is felt to be slow. */
const slowMs = 500;

const reconnect = "`tp quit`, then `tp connect`";

/** The connection that stands. */
export const connectionChecks: Check[] = [
  of("session", "Session", ({ status: { traffic_manager: manager } }) => {
    if (manager === undefined) return undefined;
    const { session: { state, reason, carriers }, round_trip_ms: trip } =
      manager;
    if (state === "waiting") {
      return failed(
        `no way to the manager: ${reason ?? "it has no carrier"}`,
        "It is tried again without end; the checks of the way to the cluster tell what is wrong with it",
      );
    }
    const noun = carriers.length === 1 ? "carrier" : "carriers";
    const text = `${carriers.length} ${noun}, round trip ${
      trip?.toFixed(1) ?? "?"
    } ms`;
    return trip === undefined || trip < slowMs ? ok(text) : warning(
      text,
      "The network to the cluster is slow: `ping` its API server, try another network or VPN",
    );
  }),
  of("routes", "Routes", ({ status: { root_daemon: root }, missingRoutes }) => {
    if (root === undefined) return undefined;
    if (missingRoutes.length > 0) {
      return failed(
        `${missingRoutes.join(", ")}: no route by ${root.device}`,
        `Another program, such as a VPN, takes routes away again and again: end it, or have it leave those by ${root.device} alone; until then they are set once a minute`,
      );
    }
    return ok(`${root.subnets.join(", ") || "none"} by ${root.device}`);
  }),
  of("overlaps", "Overlaps", ({ status }) => {
    const root = status.root_daemon;
    if (root === undefined) return undefined;
    const virtual = virtualTexts(status);
    const isFull = virtual.some((text) => / full: /.test(text));
    if (isFull) {
      return failed(
        virtual.join("; "),
        `${reconnect} with fewer subnets by \`--vnat\`, or with \`--allow-conflicting-subnets\``,
      );
    }
    if (root.skipped_subnets.length > 0) {
      const skipped = root.skipped_subnets.map(({ subnet, reason }) =>
        `${subnet} is not routed (${reason})`
      );
      return warning(
        [...skipped, ...virtual].join("; "),
        "End what has these addresses on this laptop, or reach them with `--vnat SUBNET`",
      );
    }
    return ok(virtual.join("; ") || "the host has none of these subnets");
  }),
  of("resolver-file", "Resolver file", ({ status, resolverFile }) => {
    const dns = status.root_daemon?.dns;
    if (dns === undefined) return undefined;
    if (dns.edge !== "/etc/resolv.conf") {
      // Whether it does is what the query by getaddrinfo tells.
      return ok(
        `${dns.edge} is told of the cluster's zones (${dns.edge_reason})`,
      );
    }
    const first = firstNameserver(resolverFile);
    if (first !== dns.vif_address) {
      return failed(
        `${dns.edge} asks ${first ?? "nobody"} first, not ${dns.vif_address}`,
        `Another program wrote it, such as a DHCP client or VPN: ${reconnect}`,
      );
    }
    if (dns.nameservers.length === 0) {
      return warning(
        `${dns.edge} asks ${first} first; the host has no nameserver of its own`,
        "Names outside the cluster do not resolve until the host's network gives one",
      );
    }
    return ok(`${dns.edge} asks ${first} first`);
  }),
  of("dns-query", "DNS query", ({ status, name, byQuery }) => {
    const dns = status.root_daemon?.dns;
    if (dns === undefined) return undefined;
    if ("failure" in byQuery) {
      const isAway = status.traffic_manager?.session.state === "waiting";
      return failed(
        `${dns.vif_address} does not tell "${name}": ${byQuery.failure}`,
        isAway
          ? "The way to the manager comes first, as the session says"
          : "The cluster's DNS must answer pods: `kubectl get pods --namespace kube-system`; the connector's log tells more",
      );
    }
    return ok(`${dns.vif_address} tells "${name}" ${list(byQuery.addresses)}`);
  }),
  of("getaddrinfo", "getaddrinfo", (facts) => {
    const { name, byResolver, byQuery } = facts;
    const remedy = asksAnother(facts)
      ? "As above"
      : "Programs ask as /etc/nsswitch.conf says: its line `hosts` must hold `dns` before anything that ends the search, and no /etc/hosts line or caching daemon (nscd) may answer first";
    if ("failure" in byResolver) {
      if ("failure" in byQuery) {
        return failed(`"${name}": ${byResolver.failure}`, "As above");
      }
      return failed(`"${name}": ${byResolver.failure}`, remedy);
    }
    const text = `programs find "${name}" at ${list(byResolver.addresses)}`;
    if ("failure" in byQuery) return ok(text);
    const isSame = byResolver.addresses.some((one) =>
      byQuery.addresses.includes(one)
    );
    return isSame ? ok(text) : failed(
      `${text}, the cluster's DNS at ${list(byQuery.addresses)}`,
      remedy,
    );
  }),
];

/** Whether the host's resolver file was told of our nameserver, and leads to another. */
function asksAnother({ status, resolverFile }: ConnectionFacts): boolean {
  const dns = status.root_daemon?.dns;
  return dns?.edge === "/etc/resolv.conf" &&
    firstNameserver(resolverFile) !== dns.vif_address;
}

function firstNameserver(resolverFile: string): string | undefined {
  return /^\s*nameserver\s+(\S+)/m.exec(resolverFile)?.[1];
}

/** A check that has its place while there is a connection. */
function of(
  id: string,
  title: string,
  judge: (connection: ConnectionFacts) => Verdict | undefined,
): Check {
  return {
    ...{ id, title },
    judge: ({ connection }) => connection && judge(connection),
  };
}

function list(addresses: string[]): string {
  return addresses.join(", ");
}
