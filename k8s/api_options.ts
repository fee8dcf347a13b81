/** What the questions of the API client take and give. */
import type { Resource } from "./resource.ts";

export interface Options {
  signal?: AbortSignal;
}

/** Which object. `namespace` is needed for namespaced resources. */
export interface Ref {
  namespace?: string;
  name: string;
}

export interface ListOptions extends Options {
  /** All namespaces when missing. */
  namespace?: string;
  /** As in `kubectl -l`. */
  labelSelector?: string;
  /** As in `kubectl --field-selector`. */
  fieldSelector?: string;
}

export interface WriteOptions extends Options {
  /** Everything is checked, nothing is kept. */
  dryRun?: boolean;
  /** Who is told to have set the fields. Default: the client's user agent. */
  fieldManager?: string;
}

export interface ApplyOptions extends WriteOptions {
  /** Takes fields over that others have set. */
  force?: boolean;
  /** Needed for kinds that {@link resources} does not hold. */
  resource?: Resource;
}

export interface DeleteOptions extends Options {
  /** How dependents go. Default: the resource's own. */
  propagation?: "Background" | "Foreground" | "Orphan";
  /** Deletes only the object of that uid. */
  uid?: string;
  dryRun?: boolean;
}

export interface LogOptions extends Options {
  /** The only one when missing. */
  container?: string;
  /** Default 100. */
  tailLines?: number;
  /** Of the container that ran before. */
  previous?: boolean;
}

/** What the API server says of itself. */
export interface ServerVersion {
  major: string;
  minor: string;
  gitVersion: string;
  platform: string;
}
