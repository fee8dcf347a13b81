/** Speaks to the API server: access by kubeconfig, typed questions, watches, port-forwards. */
export {
  type ClusterAccess,
  loadAccess,
  type LoadAccessOptions,
  type Trust,
} from "./access.ts";
export { canI } from "./access_review.ts";
export { ApiClient, openApi, type OpenApiOptions } from "./api_client.ts";
export type {
  ApplyOptions,
  DeleteOptions,
  ListOptions,
  LogOptions,
  Ref,
  ServerVersion,
  WriteOptions,
} from "./api_options.ts";
export {
  ApiError,
  formatQuestion,
  isApiError,
  type Question,
} from "./api_error.ts";
export { eventsAbout } from "./events.ts";
export {
  type ClusterExtensions,
  readClusterExtensions,
} from "./cluster_extensions.ts";
export { CredentialError } from "./credential.ts";
export { inClusterAccess, type InClusterOptions } from "./_in_cluster.ts";
export { KubeconfigError, type KubeconfigProblem } from "./kubeconfig.ts";
export type * from "./object.ts";
export { bareHost, portOf } from "./_proxy.ts";
export {
  isPodReady,
  lastWarning,
  podPhase,
  type PodState,
  podTrouble,
} from "./pod_trouble.ts";
export {
  apiVersionOf,
  pathOf,
  type Resource,
  resource,
  resourceOf,
  resources,
} from "./resource.ts";
export {
  type Bridge,
  bridgeReady,
  type PortForwardOptions,
  type PortForwardWay,
  portForwardWays,
} from "./_way.ts";
export type { WatchEvent } from "./_watch.ts";
export {
  ApiUnreachableError,
  type UnreachableKind,
  unreachableKinds,
} from "./unreachable.ts";
