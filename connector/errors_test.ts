import assert from "node:assert/strict";
import { product } from "../build.ts";
import { DaemonAbsentError, HeldError } from "../daemon/client.ts";
import {
  ApiError,
  ApiUnreachableError,
  CredentialError,
  KubeconfigError,
  type UnreachableKind,
} from "../k8s/mod.ts";
import { ConnResetError, RefusedError } from "../net/mod.ts";
import { IncompatibleError } from "../tunnel/mod.ts";
import { CalledOffError } from "./called_off.ts";
import { toFailure } from "./errors.ts";
import { ConnectError, type FailureKind } from "./failure.ts";

const server = new URL("https://cluster.example:6443");
const question = { verb: "get", resource: "pods" };

function answer(status: number, reason = "Some"): ApiError {
  return new ApiError(question, { status, reason, detail: "no" });
}

function unreachable(kind: UnreachableKind): ApiUnreachableError {
  return new ApiUnreachableError(server, { kind, detail: "so" });
}

const table: [unknown, FailureKind][] = [
  [new KubeconfigError("missing", "Cannot"), "kubeconfig-missing"],
  [new KubeconfigError("unknown-context", "Cannot"), "context-unknown"],
  [new KubeconfigError("broken", "Cannot"), "kubeconfig-broken"],
  [new CredentialError("Cannot"), "credential-failed"],
  [unreachable("refused"), "api-unreachable"],
  [unreachable("certificate"), "certificate-untrusted"],
  [unreachable("certificate-time"), "certificate-time"],
  [answer(401), "unauthorized"],
  [answer(403), "forbidden"],
  [answer(503), "api-unreachable"],
  [answer(404, ""), "api-unreachable"],
  [answer(409), "internal"],
  [new RefusedError("refused", "so"), "manager-unreachable"],
  [new ConnResetError("Cannot"), "manager-unreachable"],
  [new HeldError({ uid: 7, user: "anna" }), "network-held"],
  [new DaemonAbsentError(), "daemon-absent"],
  [new CalledOffError("quit"), "called-off"],
  [Object.assign(new Error("full"), { code: "ENOSPC" }), "disk-full"],
  [new TypeError("a bug"), "internal"],
  ["a text", "internal"],
];

Deno.test("toFailure() knows the kind of whatever the rooms throw", () => {
  for (const [error, kind] of table) {
    assert.equal(toFailure(error).kind, kind, String(error));
  }
});

Deno.test("toFailure() gives back the failure that a ConnectError carries", () => {
  const failure = {
    kind: "forbidden",
    cause: "Cannot",
    details: ["a"],
  } as const;
  const error = new ConnectError({ ...failure, details: ["a"] });
  assert.deepEqual(toFailure(error), failure);
});

Deno.test("toFailure() tells both releases and both ranges of ends that do not understand each other", () => {
  const error = new IncompatibleError(
    { min: 1, max: 1 },
    { min: 7, max: 9 },
    "tp/9.9.9",
  );
  assert.deepEqual(toFailure(error), {
    kind: "manager-incompatible",
    cause:
      "Cannot use the traffic manager: it is tp/9.9.9 and speaks protocol " +
      `versions 7 to 9, this is ${product} and speaks version 1`,
  });
});

Deno.test("toFailure() tells what found the disk full", () => {
  const message =
    "No space left on device (os error 28): mkdir '/home/anna/.cache/tp'";
  const error = Object.assign(new Error(message), { code: "ENOSPC" });
  assert.equal(
    toFailure(error).cause,
    "Cannot go on: the disk is full (mkdir '/home/anna/.cache/tp')",
  );
});
