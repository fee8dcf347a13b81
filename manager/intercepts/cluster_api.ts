import type { ApiClient } from "../../k8s/mod.ts";

/** What intercepts need of the API server. */
export type ClusterApi = Pick<
  ApiClient,
  | "find"
  | "list"
  | "watch"
  | "create"
  | "replace"
  | "apply"
  | "patch"
  | "delete"
  | "evict"
>;
