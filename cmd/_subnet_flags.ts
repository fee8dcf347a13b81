import { listFlag } from "./_list_flag.ts";

/** What a user says of subnets that the cluster and this host both have. */
export interface SubnetFlags {
  readonly allowConflictingSubnets?: readonly string[];
  readonly vnat?: readonly string[];
  readonly proxyVia?: readonly string[];
}

function subnets(name: keyof SubnetFlags, typed: string) {
  return listFlag(typed, ({ parseSubnetWishes }, text) => {
    parseSubnetWishes({ [name]: [text] });
  });
}

export const subnetFlags = {
  allowConflictingSubnets: {
    ...subnets("allowConflictingSubnets", "--allow-conflicting-subnets"),
    placeholder: "subnets",
    brief: "Where the cluster goes before routes of this host, e.g. a VPN's",
  },
  vnat: {
    ...subnets("vnat", "--vnat"),
    placeholder: "subnets",
    brief:
      "What is always reached by virtual addresses: subnets, service, pods, also, all",
  },
  proxyVia: {
    ...subnets("proxyVia", "--proxy-via"),
    placeholder: "subnet=workload",
    brief:
      "The same, dialled by pods of a workload; local: by the manager's as with --vnat",
  },
} as const;
