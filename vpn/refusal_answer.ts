import type { Refusal, Unreachable } from "../net/mod.ts";

/** What an app's kernel is told of a flow that was not accepted. */
export type RefusalAnswer =
  /** TCP: a reset, so the app sees "connection refused". UDP: port unreachable, which means the same. */
  | "refuse"
  /** An ICMP error, which ends the app's attempt at once. */
  | Exclude<Unreachable, "port">
  /** Nothing: the app's kernel asks again, and that is a new attempt. */
  | "silence";

/** What a pod in the cluster would have seen in the place of the app. */
export const refusalAnswers: Record<Refusal, RefusalAnswer> = {
  "refused": "refuse",
  "unreachable": "host",
  // The app has its own opinion of how long to wait.
  "timeout": "silence",
  "forbidden": "prohibited",
  // A manager that does not know this kind of target cannot reach it either.
  "unknown-target": "host",
  // As of a listener whose queue is full: there may be room when the app's kernel asks again.
  "overloaded": "silence",
  // The way to the whole cluster is lost.
  "gone": "network",
  "failed": "host",
};
