/** Why `tp` could not do its work: a closed list, since it crosses from one process to another. */
export const failureKinds = [
  "kubeconfig-missing",
  "kubeconfig-broken",
  "context-unknown",
  "credential-failed",
  "api-unreachable",
  "certificate-untrusted",
  "certificate-time",
  "unauthorized",
  "forbidden",
  "other-connection",
  "setting-wrong",
  "called-off",
  "endpoint-ambiguous",
  "kubernetes-too-old",
  "manager-not-ready",
  "manager-incompatible",
  "manager-unreachable",
  "daemon-absent",
  "daemon-failed",
  "network-held",
  "tun-missing",
  "tun-denied",
  "host-refused",
  "socket-taken",
  "disk-full",
  "not-connected",
  "connection-unknown",
  "connection-ambiguous",
  "connections-full",
  "intercepts-missing",
  "intercept-name",
  "intercept-exists",
  "intercept-unknown",
  "intercept-conflict",
  "intercept-denied",
  "intercept-failed",
  "intercept-elsewhere",
  "workload-unknown",
  "workload-ambiguous",
  "workload-unsupported",
  "service-unknown",
  "container-unknown",
  "port-unknown",
  "port-ambiguous",
  "match-without-requests",
  "address-unknown",
  "address-routed",
  "port-in-use",
  "pod-port-in-use",
  "pod-port-denied",
  "publish-port-in-use",
  "publish-port-denied",
  "mount-failed",
  "not-removed",
  "internal",
] as const;
export type FailureKind = typeof failureKinds[number];

/** One failure: the cause as a sentence; what to do about it is said by the command. */
export interface Failure {
  kind: FailureKind;
  /** A sentence without final period: what could not be done, and the state that stopped it. */
  cause: string;
  /** Facts beside the cause, a line each: the rights that are missing, for `forbidden`. */
  details?: string[];
  /** For `forbidden`: what an admin of the cluster would run, a command line each. */
  adminCommands?: string[];
}

/** Carries a {@link Failure} to who tells it. */
export class ConnectError extends Error {
  override readonly name = "ConnectError";
  readonly failure: Failure;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.cause, options);
    this.failure = failure;
  }
}

/** Of a setting that means nothing, or nothing that can be done. */
export function settingWrong(cause: string): ConnectError {
  return new ConnectError({ kind: "setting-wrong", cause });
}
