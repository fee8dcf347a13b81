/** What crosses between `tp run` and the process that it starts inside of the namespaces. */
import { Subnet } from "../net/mod.ts";

/** What is in the directory by which the two meet. */
export const files = {
  /** {@link InsidePlan} as JSON. */
  plan: "plan.json",
  /** What is seen as `/etc/resolv.conf` and `/etc/hosts`. */
  resolvConf: "resolv.conf",
  hosts: "hosts",
  /** Where the outer process listens. */
  socket: "socket",
} as const;

/** Subnets of the TUN device as text. Without a family its addresses are absent. */
export interface InsidePlan {
  readonly v4: string;
  readonly v6?: string;
}

/** What the addresses of a subnet of the device are for. */
export function roles(subnet: Subnet) {
  return {
    subnet,
    /** Source of flows. */
    laptop: subnet.at(1),
    /** Who flows seem to come from after they are turned round. */
    peer: subnet.at(2),
    /** Answers names. */
    dns: subnet.at(3),
    /** Leads to the loopback address of the laptop. */
    loopback: subnet.at(4),
  };
}

/** The first thing that the inner process says, a line of JSON. After `ready` a session follows, once it is answered. */
export type InsideReport =
  /** `netns`: the network namespace, as /proc names it. */
  | { readonly state: "ready"; readonly netns: string }
  /** The kernel does not let it; `cause` is a sentence. It ends. */
  | { readonly state: "failed"; readonly cause: string };

/** Of the session, at both ends: it is over with its one carrier, and that with a process at its end. */
export const limits = { graceMs: 0, unansweredPings: Infinity } as const;

/** The answer to `ready`. */
export const goAhead = 0x0a;
