import type { World } from "../../manager/api.ts";
import { type Ip, Subnet } from "../../net/mod.ts";
import type { ConnectRequest } from "../api.ts";
import { settingWrong } from "../failure.ts";
import { isWorkloadKind } from "../intercepts/workload.ts";

/** What the user wants of subnets. */
export interface SubnetWishes {
  /** Where the cluster goes before routes of the host. */
  allowed: readonly Subnet[];
  /** What of a cluster, or beside it, is always reached by virtual addresses, and from where. */
  virtual: readonly VirtualWish[];
}

export interface VirtualWish {
  /** {@link Via.text}; absent: from the manager's pod. */
  via?: Via;
  subnets: (reached: Reached) => readonly Subnet[];
}

/** A workload whose pods dial. */
export interface Via {
  /** As the user wrote it: `[NAMESPACE/][KIND/]NAME`. */
  text: string;
  /** Absent: the connection's. */
  namespace?: string;
  /** A name, or `KIND/NAME`. */
  workload: string;
}

/** What the words for subnets mean at a time. */
export interface Reached {
  world: Pick<World, "serviceSubnets" | "podSubnets">;
  /** What is reached through the cluster because the user says so. */
  also: readonly Subnet[];
}

type Asked = Pick<
  ConnectRequest,
  "allowConflictingSubnets" | "vnat" | "proxyVia"
>;

/** What stands for subnets that only the cluster knows. */
const wordSubnets = new Map<string, VirtualWish["subnets"]>([
  ["service", ({ world }) => world.serviceSubnets],
  ["pods", ({ world }) => world.podSubnets],
  ["also", ({ also }) => also],
  [
    "all",
    ({ world, also }) => [
      ...world.serviceSubnets,
      ...world.podSubnets,
      ...also,
    ],
  ],
]);

/** The workload of `--proxy-via` that means none: traffic leaves where it does without the flag. */
const noWorkload = "local";
/** RFC 1123; kinds in any case. */
const nameSyntax = /^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?$/;

/** @throws {ConnectError} for what is no subnet, and for what is no workload. */
export function parseSubnetWishes(
  { allowConflictingSubnets = [], vnat = [], proxyVia = [] }: Asked,
): SubnetWishes {
  const allowed = allowConflictingSubnets.map(parseSubnet);
  // Of equals the first counts: who names a workload means more.
  const virtual = [
    ...proxyVia.map(parseVia),
    ...vnat.map((text) => ({ subnets: parseSubnets(text) })),
  ];
  return { allowed, virtual };
}

/** All that is reached by virtual addresses. */
export function virtualSubnets(
  { virtual }: Pick<SubnetWishes, "virtual">,
  reached: Reached,
): Subnet[] {
  return virtual.flatMap(({ subnets }) => subnets(reached));
}

/** From where `ip` is dialled: as the narrowest subnet that has it says; `undefined`: from the manager's pod. */
export function viaOf(
  ip: Ip,
  { virtual }: Pick<SubnetWishes, "virtual">,
  reached: Reached,
): Via | undefined {
  let [narrowest, found]: [number, Via | undefined] = [-1, undefined];
  for (const { via, subnets } of virtual) {
    for (const subnet of subnets(reached)) {
      if (subnet.prefix <= narrowest || !subnet.contains(ip)) continue;
      [narrowest, found] = [subnet.prefix, via];
    }
  }
  return found;
}

/** Whether a request wants no other subnets than those of the connection; one that does not say takes what there is. */
export function wantsSameSubnets(request: Asked, connected: Asked): boolean {
  const names = ["allowConflictingSubnets", "vnat", "proxyVia"] as const;
  return names.every((name) => {
    const wanted = request[name] ?? [];
    const present = new Set(connected[name]);
    return wanted.length === 0 ||
      new Set(wanted).symmetricDifference(present).size === 0;
  });
}

function parseSubnet(text: string): Subnet {
  try {
    return Subnet.parse(text);
  } catch {
    throw settingWrong(
      `Cannot use "${text}": it is no subnet like 10.96.0.0/16`,
    );
  }
}

function parseSubnets(text: string): VirtualWish["subnets"] {
  const ofWord = wordSubnets.get(text);
  if (ofWord) return ofWord;
  if (!/[.:/]/.test(text)) {
    throw settingWrong(
      `Cannot use "${text}": it is no subnet like 10.96.0.0/16, and none of ` +
        [...wordSubnets.keys()].join(", "),
    );
  }
  const subnets = [parseSubnet(text)];
  return () => subnets;
}

function parseVia(text: string): VirtualWish {
  const [subnet = "", workload, ...rest] = text.split("=");
  if (!workload || rest.length > 0) {
    throw settingWrong(`Cannot use "${text}": it is not SUBNET=WORKLOAD`);
  }
  const subnets = parseSubnets(subnet);
  return workload === noWorkload
    ? { subnets }
    : { subnets, via: parseWorkload(workload, text) };
}

function parseWorkload(text: string, whole: string): Via {
  const parts = text.split("/");
  if (parts.length > 3 || !parts.every((part) => nameSyntax.test(part))) {
    throw settingWrong(
      `Cannot use "${whole}": "${text}" is no workload like web, ` +
        "deployment/web, orders/web or orders/deployment/web",
    );
  }
  const [first = "", ...others] = parts;
  const isKindFirst = parts.length === 2 && isWorkloadKind(first);
  if (parts.length === 1 || isKindFirst) return { text, workload: text };
  return { text, namespace: first, workload: others.join("/") };
}
