import assert from "node:assert/strict";
import { echoInFlow, isEcho, isEchoInFlow } from "./echo.ts";

/** type, code, checksum, identifier, sequence number, data */
const request = [8, 0, 0x12, 0x34, 0xaa, 0xbb, 0, 7, 1, 2, 3];

Deno.test("isEcho() tells requests and replies of both families from all other messages", () => {
  const cases: [type: number, code: number, family: 4 | 6, kind: string][] = [
    [8, 0, 4, "request"],
    [0, 0, 4, "reply"],
    [128, 0, 6, "request"],
    [129, 0, 6, "reply"],
    [3, 0, 4, "neither"],
    [8, 1, 4, "neither"],
    [8, 0, 6, "neither"],
  ];
  for (const [type, code, family, wanted] of cases) {
    const message = Uint8Array.of(type, code, 0, 0, 0, 0, 0, 0);
    for (const kind of ["request", "reply"] as const) {
      assert.equal(isEcho(message, { family, kind }), kind === wanted);
    }
  }
  const short = Uint8Array.from(request.slice(0, 7));
  assert.ok(!isEcho(short, { family: 4, kind: "request" }));
});

Deno.test("echoInFlow() gives type and code of ICMPv4, sequence number and data", () => {
  const v6 = Uint8Array.from([129, ...request.slice(1)]);
  const crossing = echoInFlow(v6, "reply");
  assert.deepEqual([...crossing], [0, 0, 0, 7, 1, 2, 3]);
  assert.ok(isEchoInFlow(crossing, "reply"));
  assert.ok(!isEchoInFlow(crossing, "request"));
  assert.ok(!isEchoInFlow(crossing.subarray(0, 3), "reply"));
});
