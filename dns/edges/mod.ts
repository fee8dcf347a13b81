/** The host's resolver: which way it is told of ours (an edge), and what each way does. */
export type { EdgeReason } from "./choose_edge.ts";
export { type ChoosingEdge, ResolverError, type ResolverPlan } from "./edge.ts";
export { HostEdge } from "./host_edge.ts";
export { ownNameservers, resolvedFile } from "./host_facts_linux.ts";
export { parseResolvConf, type ResolvConf } from "./resolv_conf.ts";
export { refuseZone } from "./refuse_zone.ts";
export { maxDomains } from "./resolved_edge.ts";
export { reverseZones } from "./reverse_zones.ts";
