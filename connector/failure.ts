/** Why `tp connect` failed: a closed list, since it crosses from the connector to the command. */
export const failureKinds = [
  "kubeconfig-missing",
  "kubeconfig-broken",
  "context-unknown",
  "credential-failed",
  "api-unreachable",
  "certificate-untrusted",
  "unauthorized",
  "forbidden",
  "other-connection",
  "manager-not-ready",
  "manager-incompatible",
  "manager-unreachable",
  "daemon-absent",
  "network-held",
  "tun-missing",
  "tun-denied",
  "host-refused",
  "port-taken",
  "disk-full",
  "internal",
] as const;
export type FailureKind = typeof failureKinds[number];

/** One failure: the cause as a sentence; what to do about it is said by the command. */
export interface Failure {
  kind: FailureKind;
  /** A sentence without final period: what could not be done, and the state that stopped it. */
  cause: string;
  /** The verbs and resources that are missing, for `forbidden`; reasons of pods, for `manager-not-ready`. */
  details?: string[];
}

/** Carries a {@link Failure} through the connector. */
export class ConnectError extends Error {
  override readonly name = "ConnectError";
  readonly failure: Failure;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.cause, options);
    this.failure = failure;
  }
}
