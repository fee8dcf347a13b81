/** Which HTTP requests are meant; the rooms above carry it through the cluster as JSON. */
export interface RequestMatch {
  /** Whether all conditions must hold, or one. */
  readonly combine: "all" | "any";
  readonly headers?: readonly HeaderMatch[];
  /** On the path without its query. */
  readonly path?: {
    readonly kind: "equal" | "prefix" | "regex";
    readonly value: string;
  };
  readonly methods?: readonly string[];
}

/** A condition on one header, by its name in any case. */
export interface HeaderMatch {
  readonly name: string;
  /** `wildcard`: `*` stands for any octets. `regex`: matches anywhere unless anchored. */
  readonly kind: "exact" | "wildcard" | "regex";
  readonly value: string;
}
