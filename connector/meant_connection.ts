/** Which of several connections a command means, or why that cannot be told. */
import type { Failure, LeaveRequest } from "./api.ts";
import type { Connection } from "./connection.ts";

const notConnected: Failure = {
  kind: "not-connected",
  cause: "Cannot do that: there is no connection",
};

/** The connection of that name; without a name the only one. */
export function connectionNamed(
  all: readonly Connection[],
  name: string | undefined,
): Connection | Failure {
  const [first, ...others] = all;
  if (first === undefined) return notConnected;
  if (name === undefined) {
    return others.length === 0 ? first : {
      kind: "connection-ambiguous",
      cause: `Cannot tell which connection is meant: there are ${namesOf(all)}`,
    };
  }
  return all.find((one) => one.name === name) ?? connectionUnknown(all, name);
}

/** The only connection that has that intercept; where none has, any, which says so. */
export function connectionWith(
  all: readonly Connection[],
  intercept: LeaveRequest,
): Connection | Failure {
  const [holder, ...others] = all.filter((one) => one.holds(intercept));
  if (holder === undefined) return all[0] ?? notConnected;
  return others.length === 0 ? holder : {
    kind: "connection-ambiguous",
    cause: `Cannot leave "${intercept.name}": connections ${
      namesOf([holder, ...others])
    } have one of that name`,
  };
}

export function connectionUnknown(
  all: readonly Connection[],
  name: string,
): Failure {
  const there = all.length === 0 ? "none" : namesOf(all);
  return {
    kind: "connection-unknown",
    cause: `Cannot find connection "${name}": there is ${there}`,
  };
}

function namesOf(all: readonly Connection[]): string {
  return all.map(({ name }) => name).join(", ");
}
