/** Which of a laptop's connections a command means. Pure. */
import type { Status } from "../connector/api.ts";
import { failureError } from "./_failure.ts";
import { writtenUse } from "./_use_flag.ts";

/** What is known of a connection that stands. */
export type UserStatus = Status["user_daemon"];

type Named = Pick<UserStatus, "name">;

export interface Meaning<T = UserStatus> {
  /** Completes "Cannot …". */
  readonly action: string;
  /** What the whole name fits. */
  readonly use?: RegExp | undefined;
  /** Whether one can be meant; asked only where the names leave several. */
  readonly isFit?: (connection: T) => boolean;
}

/**
 * The name of the connection that is meant; `undefined` when none of several can be.
 *
 * @param all There is one at least.
 * @throws {CommandError} when no name fits, or more than one connection may be meant.
 */
export function meantConnection<T extends Named>(
  all: readonly T[],
  { action, use, isFit = () => true }: Meaning<T>,
): string | undefined {
  const named = all.filter(({ name = "" }) => use?.test(name) ?? true);
  const fits = use && ` fits "${writtenUse(use)}"`;
  if (named.length === 0) {
    throw failureError({
      kind: "connection-unknown",
      cause: `Cannot ${action}: no connection${fits} (there is ${names(all)})`,
    });
  }
  const meant = named.length === 1 ? named : named.filter(isFit);
  if (meant.length > 1) {
    throw failureError({
      kind: "connection-ambiguous",
      cause: `Cannot ${action}: more than one connection${
        fits ?? " can be meant"
      } (${names(meant)})`,
    });
  }
  return meant[0]?.name;
}

/** Of several, those to the cluster and manager that a command's flags name can be meant. */
export function isOfPlace(
  { context, managerNamespace }: {
    readonly context?: string;
    readonly managerNamespace?: string;
  },
): (connection: UserStatus) => boolean {
  return ({ kubernetes_context: ofContext, manager_namespace: ofManager }) =>
    [undefined, ofContext].includes(context) &&
    [undefined, ofManager].includes(managerNamespace);
}

/** Of several, those that have an intercept of one of these names can be meant. */
export function hasAny(
  wanted: readonly string[],
): (connection: UserStatus) => boolean {
  return (connection) =>
    heldBy(connection).some(({ name }) => wanted.includes(name));
}

/** Intercepts of every kind. */
export function heldBy(
  { intercepts, replacements, wiretaps, ingests, ...user }: UserStatus,
): UserStatus["intercepts"] {
  return [
    ...[...intercepts, ...replacements, ...wiretaps, ...ingests],
    ...user.proxy_vias,
  ];
}

function names(all: readonly Named[]): string {
  return all.map(({ name }) => name).join(", ");
}
