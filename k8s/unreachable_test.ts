import assert from "node:assert/strict";
import { ConnResetError } from "../net/mod.ts";
import {
  ObstacleError,
  obstacleOf,
  type UnreachableKind,
} from "./unreachable.ts";

function coded(code: string, message = ""): Error {
  return Object.assign(new Error(message), { code });
}

/** What the runtime's TCP and TLS, and `node:tls`, say. */
const table: { error: Error; kind: UnreachableKind; detail?: string }[] = [
  { error: coded("ECONNREFUSED"), kind: "refused" },
  { error: coded("ETIMEDOUT"), kind: "timeout" },
  { error: coded("EHOSTUNREACH"), kind: "no-route" },
  { error: coded("ENETUNREACH"), kind: "no-route" },
  { error: coded("ENOTFOUND"), kind: "dns" },
  {
    error: new Error(
      "failed to lookup address information: Name or service not known",
    ),
    kind: "dns",
  },
  {
    error: new Deno.errors.InvalidData(
      "invalid peer certificate: UnknownIssuer",
    ),
    kind: "certificate",
    detail:
      "its certificate is not signed by the authority that the kubeconfig names",
  },
  { error: coded("DEPTH_ZERO_SELF_SIGNED_CERT"), kind: "certificate" },
  { error: coded("SELF_SIGNED_CERT_IN_CHAIN"), kind: "certificate" },
  {
    error: coded("CERT_HAS_EXPIRED"),
    kind: "certificate-time",
    detail: "by this laptop's clock its certificate has expired",
  },
  {
    error: coded("CERT_NOT_YET_VALID"),
    kind: "certificate-time",
    detail: "by this laptop's clock its certificate is not valid yet",
  },
  {
    error: new Error("invalid peer certificate: BadEncoding"),
    kind: "certificate",
    detail: "invalid peer certificate: BadEncoding",
  },
  {
    error: new Error("received fatal alert: CertificateRequired"),
    kind: "certificate",
    detail: "it does not accept the client certificate",
  },
  { error: new ConnResetError("x"), kind: "reset" },
  {
    error: new Error("outer", { cause: coded("ECONNREFUSED") }),
    kind: "refused",
  },
  {
    error: new ObstacleError({ kind: "proxy", detail: "d" }),
    kind: "proxy",
    detail: "d",
  },
];

Deno.test("obstacleOf() sorts what goes wrong below into the closed list", () => {
  for (const { error, kind, detail } of table) {
    const obstacle = obstacleOf(error);
    assert.equal(obstacle.kind, kind, `${error}`);
    if (detail !== undefined) assert.equal(obstacle.detail, detail);
  }
});
