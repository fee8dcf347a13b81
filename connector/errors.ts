/** One mapping from what the rooms throw to the closed list of failures. */
import {
  DaemonAbsentError,
  DaemonRefusalError,
  HeldError,
  type RefusalCode,
} from "../daemon/client.ts";
import {
  ApiError,
  ApiUnreachableError,
  CredentialError,
  KubeconfigError,
  type UnreachableKind,
} from "../k8s/mod.ts";
import { ConnResetError, RefusedError } from "../net/mod.ts";
import { product } from "../build.ts";
import { IncompatibleError, type VersionRange } from "../tunnel/mod.ts";
import { CalledOffError } from "./called_off.ts";
import { diskFullCause, isDiskFull } from "./process/disk_full.ts";
import { ConnectError, type Failure, type FailureKind } from "./failure.ts";

const kubeconfigKinds: Record<KubeconfigError["kind"], FailureKind> = {
  "missing": "kubeconfig-missing",
  "unknown-context": "context-unknown",
  "broken": "kubeconfig-broken",
};

const obstacleKinds: Partial<Record<UnreachableKind, FailureKind>> = {
  "certificate": "certificate-untrusted",
  "certificate-time": "certificate-time",
};

const refusalKinds: Partial<Record<RefusalCode, FailureKind>> = {
  "tun-missing": "tun-missing",
  "tun-denied": "tun-denied",
  "disk-full": "disk-full",
};

/** What the user shall be told of an error. The cause is a sentence without final period. */
export function toFailure(error: unknown): Failure {
  if (error instanceof ConnectError) return error.failure;
  return { kind: kindOf(error), cause: causeOf(error) };
}

function causeOf(error: unknown): string {
  if (error instanceof IncompatibleError) {
    const { peerProduct, ours, theirs } = error;
    return `Cannot use the traffic manager: it is ${peerProduct} and speaks ` +
      `protocol ${formatRange(theirs)}, this is ${product} and speaks ` +
      formatRange(ours);
  }
  if (isDiskFull(error)) return diskFullCause("go on", error);
  return error instanceof Error ? error.message : String(error);
}

function formatRange({ min, max }: VersionRange): string {
  return min === max ? `version ${min}` : `versions ${min} to ${max}`;
}

function kindOf(error: unknown): FailureKind {
  if (error instanceof CalledOffError) return "called-off";
  if (error instanceof KubeconfigError) return kubeconfigKinds[error.kind];
  if (error instanceof CredentialError) return "credential-failed";
  if (error instanceof ApiUnreachableError) {
    return obstacleKinds[error.kind] ?? "api-unreachable";
  }
  if (error instanceof ApiError) return kindOfAnswer(error);
  if (error instanceof IncompatibleError) return "manager-incompatible";
  if (error instanceof RefusedError || error instanceof ConnResetError) {
    return "manager-unreachable";
  }
  if (error instanceof HeldError) return "network-held";
  if (error instanceof DaemonAbsentError) return "daemon-absent";
  if (error instanceof DaemonRefusalError) {
    return refusalKinds[error.code] ?? "host-refused";
  }
  if (isDiskFull(error)) return "disk-full";
  return "internal";
}

function kindOfAnswer({ status, reason }: ApiError): FailureKind {
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  // What answers without a reason is a gateway on the way, or no API server at all.
  return status >= 500 || reason === "" ? "api-unreachable" : "internal";
}
