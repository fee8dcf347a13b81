import { Fqdn } from "../../dns/mod.ts";
import { reservedSubnets, shortestPrefix, Subnet } from "../../net/mod.ts";
import type { ConnectRequest } from "../api.ts";
import { type ConnectError, settingWrong } from "../failure.ts";

/** Addresses that a user tells, some of them by a name. */
export interface AskedAddresses {
  readonly subnets: readonly Subnet[];
  readonly names: readonly Fqdn[];
}

/** What the user wants of addresses, whosoever they are. */
export interface ProxyWishes {
  /** What is reached through the cluster, too. */
  readonly also: AskedAddresses;
  /** What is not, though it may be of the cluster. */
  readonly never: AskedAddresses;
}

type Asked = Pick<ConnectRequest, "alsoProxy" | "neverProxy">;

/** @throws {ConnectError} `setting-wrong`. */
export function parseProxyWishes(
  { alsoProxy = [], neverProxy = [] }: Asked,
): ProxyWishes {
  const both = alsoProxy.find((text) => neverProxy.includes(text));
  if (both !== undefined) {
    throw wrong(both, "it cannot be proxied both also and never");
  }
  return { also: parseAddresses(alsoProxy), never: parseAddresses(neverProxy) };
}

/** Whether a request wants the same of addresses as the connection; one that does not say takes what there is. */
export function wantsSameProxied(request: Asked, connected: Asked): boolean {
  const names = ["alsoProxy", "neverProxy"] as const;
  return names.every((name) => {
    const wanted = request[name] ?? [];
    return wanted.length === 0 ||
      new Set(wanted).symmetricDifference(new Set(connected[name])).size === 0;
  });
}

function parseAddresses(texts: readonly string[]): AskedAddresses {
  const parsed = texts.map(parseOne);
  return {
    subnets: parsed.filter((one) => one instanceof Subnet),
    names: parsed.filter((one) => one instanceof Fqdn),
  };
}

function parseOne(text: string): Subnet | Fqdn {
  const subnet = trySubnet(text);
  if (subnet) return mustBeSensible(text, subnet);
  const name = text.includes("/") ? undefined : Fqdn.tryParse(text);
  // What ends in a number was meant for an address.
  const isName = name && name.labels.length > 0 &&
    !/^\d+$/.test(name.topLabel) && !/[^-_.a-z0-9]/i.test(text);
  if (!isName) {
    throw wrong(text, "it is no subnet like 10.96.0.0/16, address or name");
  }
  return name;
}

function trySubnet(text: string): Subnet | undefined {
  try {
    return Subnet.parse(text);
  } catch {
    return undefined;
  }
}

function mustBeSensible(text: string, subnet: Subnet): Subnet {
  const shortest = shortestPrefix[subnet.family];
  if (subnet.prefix === 0) throw wrong(text, "it is a default route");
  if (subnet.prefix < shortest) {
    throw wrong(text, `it is wider than a /${shortest}`);
  }
  if (reservedSubnets.some((own) => own.covers(subnet))) {
    throw wrong(text, "such addresses are each host's own");
  }
  return subnet;
}

function wrong(text: string, state: string): ConnectError {
  return settingWrong(`Cannot use "${text}": ${state}`);
}
