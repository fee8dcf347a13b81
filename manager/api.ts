/** What crosses between the manager and those who ask it. */
export {
  decodeTarget,
  encodeTarget,
  type Target,
  type UdpTarget,
} from "./target.ts";
export {
  BroughtFlows,
  type BroughtTarget,
  type TakeBrought,
} from "./brought_flows.ts";
export { type LogWish, longestWishSeconds } from "./log_wish.ts";
export type { DirectOffer } from "./direct_offer.ts";
export * from "./intercept.ts";
export * from "./agent_object.ts";
export * from "./agent_api.ts";
export { whyNotVia } from "./via_subnets.ts";
export { WithheldNames } from "./intercepts/withheld_names.ts";
export { formatWorld, isName, parseWorld, type World } from "./world.ts";

/** Where the manager waits for carriers, on the loopback address of its pod. */
export const clientPort = 7410;
/** Where the kubelet asks whether the manager lives and is ready, on the address of its pod. */
export const probePort = 7411;

/** Where the manager waits for carriers that join, with TLS and on the address of its pod, if an admin wants it. */
export const directPort = 7412;

/** Where the API server asks what a pod is given when it is made, with TLS and on the address of the manager's pod. */
export const webhookPort = 7414;

/** Name of the manager's StatefulSet, ServiceAccount and so on. */
export const managerName = "traffic-manager";
/** Name of the Service that leads to the direct port. */
export const directServiceName = `${managerName}-direct`;
/** Name of the Service by which the API server reaches the {@link webhookPort}. */
export const webhookServiceName = `${managerName}-webhook`;
/** Name of the Secret with the manager's certificate authorities. */
export const authoritySecretName = `${managerName}-ca`;
/** More copies of the manager than this do not run. */
export const maxReplicas = 16;

/** Name of the pod of one copy of the manager; the first is number 0. */
export function managerPod(replica: number): string {
  return `${managerName}-${replica}`;
}

/** Name of what a manager has outside of its namespace: two managers in one cluster do not share it. */
export function clusterWideName(namespace: string): string {
  return `${managerName}-${namespace}`;
}

/** In the manager's pod: joins its standard streams to {@link clientPort}. The path is that of the image. */
export const bridge = {
  container: managerName,
  command: ["/usr/local/bin/tp", "bridge"],
};
/** Where the manager lives unless told otherwise. */
export const defaultManagerNamespace = "ambassador";
