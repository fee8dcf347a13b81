import assert from "node:assert/strict";
import { ConnResetError, RefusedError } from "../net/mod.ts";
import { isLasting, mayHelp } from "./_ladder.ts";
import { type PortForwardWay, portForwardWays } from "./_way.ts";
import { ApiError } from "./api_error.ts";
import { CredentialError } from "./credential.ts";
import { ObstacleError, type UnreachableKind } from "./unreachable.ts";

function answer(status: number, reason = "", verb = "get"): ApiError {
  return new ApiError({ verb, resource: "pods/portforward" }, {
    ...{ status, reason, detail: "no" },
  });
}

function obstacle(kind: UnreachableKind): ObstacleError {
  return new ObstacleError({ kind, detail: "no" });
}

const reset = new ConnResetError("cut");
const refused = new RefusedError("refused", "nobody listens");
const forbidden = answer(403, "Forbidden");
const forbiddenToCreate = answer(403, "Forbidden", "create");

/** What failed, with what, and which of the others are tried then. */
const table: [[PortForwardWay, unknown][], PortForwardWay[]][] = [
  [[], [...portForwardWays]],
  // No way is known there, or it broke off: all others.
  [[["spdy-websocket", answer(400)]], ["spdy", "channel", "kubectl", "exec"]],
  [[["spdy-websocket", answer(403)]], ["spdy", "channel", "kubectl", "exec"]],
  [[["spdy-websocket", reset]], ["spdy", "channel", "kubectl", "exec"]],
  [[["spdy", obstacle("protocol")], ["spdy-websocket", obstacle("reset")]], [
    ...["channel", "kubectl", "exec"] as const,
  ]],
  // Somebody on the way who knows no upgrade.
  [[["spdy-websocket", answer(503)]], ["spdy", "channel", "kubectl", "exec"]],
  // Rights: the other verb, and the other resource.
  [[["spdy-websocket", forbidden]], ["spdy", "exec"]],
  [[["spdy", forbiddenToCreate]], ["spdy-websocket", "exec"]],
  [[["spdy-websocket", forbidden], ["spdy", forbiddenToCreate]], ["exec"]],
  // The port: what runs in the pod may see another.
  [[["spdy-websocket", refused]], ["exec"]],
  [[["kubectl", refused]], ["spdy-websocket", "spdy", "channel", "exec"]],
  // What was remembered and works no more.
  [[["exec", refused]], ["spdy-websocket", "spdy", "channel", "kubectl"]],
  [[["exec", forbidden]], ["spdy-websocket", "spdy", "channel", "kubectl"]],
  [[["kubectl", obstacle("protocol")]], [
    ...["spdy-websocket", "spdy", "channel", "exec"] as const,
  ]],
  // No way leads there.
  [[["spdy-websocket", answer(401, "Unauthorized")]], []],
  [[["spdy-websocket", answer(404, "NotFound")]], []],
  [[["exec", answer(404, "NotFound")]], []],
  [[["spdy-websocket", answer(429)]], []],
  [[["spdy-websocket", answer(503, "ServiceUnavailable")]], []],
  [[["spdy-websocket", obstacle("timeout")]], []],
  [[["spdy-websocket", obstacle("refused")]], []],
  [[["spdy-websocket", new CredentialError("no plugin")]], []],
];

Deno.test("mayHelp() keeps to the ways that what has failed leaves open", () => {
  for (const [failed, expected] of table) {
    const failures = new Map(failed);
    const left = portForwardWays.filter((way) =>
      !failures.has(way) && mayHelp(way, failures)
    );
    const text = failed.map(([way, error]) => `${way}: ${error}`).join("; ");
    assert.deepEqual(left, expected, text);
  }
});

Deno.test("isLasting() tells a no from a mishap", () => {
  for (const lasting of [answer(400), forbidden, obstacle("protocol")]) {
    assert.equal(isLasting(lasting), true, String(lasting));
  }
  const passing = [answer(503), answer(429), obstacle("reset"), reset, refused];
  for (const mishap of passing) {
    assert.equal(isLasting(mishap), false, String(mishap));
  }
});
