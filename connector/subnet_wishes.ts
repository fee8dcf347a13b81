import type { World } from "../manager/api.ts";
import { Subnet } from "../net/mod.ts";
import type { ConnectRequest } from "./api.ts";
import { settingWrong } from "./failure.ts";

/** What the user wants of subnets. */
export interface SubnetWishes {
  /** Where the cluster goes before routes of the host. */
  allowed: readonly Subnet[];
  /** What of a cluster, or beside it, is always reached by virtual addresses. */
  vnat: (world: World) => readonly Subnet[];
}

type Asked = Pick<
  ConnectRequest,
  "allowConflictingSubnets" | "vnat" | "proxyVia"
>;

/** What stands for subnets that only the cluster knows. */
const wordSubnets = new Map<string, (world: World) => readonly Subnet[]>([
  ["service", ({ serviceSubnets }) => serviceSubnets],
  ["pods", ({ podSubnets }) => podSubnets],
  ["all", (world) => [...world.serviceSubnets, ...world.podSubnets]],
]);

/** The workload of `--proxy-via` that means none: traffic leaves where it does without the flag. */
const noWorkload = "local";

/** @throws {ConnectError} for what is no subnet, and for a workload that traffic shall leave from. */
export function parseSubnetWishes(
  { allowConflictingSubnets = [], vnat = [], proxyVia = [] }: Asked,
): SubnetWishes {
  const allowed = allowConflictingSubnets.map(parseSubnet);
  const virtual = [...vnat, ...proxyVia.map(subnetOfVia)].map((text) => {
    const ofWord = wordSubnets.get(text);
    if (ofWord) return ofWord;
    const subnets = [parseSubnet(text)];
    return () => subnets;
  });
  return {
    allowed,
    vnat: (world) => virtual.flatMap((subnetsOf) => subnetsOf(world)),
  };
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

/** An agent carries connections to its own pod's app and to the laptop, and dials nobody else. */
function subnetOfVia(text: string): string {
  const [subnet = "", workload, ...rest] = text.split("=");
  if (!workload || rest.length > 0) {
    throw settingWrong(`Cannot use "${text}": it is not SUBNET=WORKLOAD`);
  }
  if (workload === noWorkload) return subnet;
  throw settingWrong(
    `Cannot reach "${subnet}" through "${workload}": traffic-agents dial ` +
      `no other address than their own pod's; with "${noWorkload}" it is ` +
      "reached from the manager's pod",
  );
}
