import assert from "node:assert/strict";
import { refuseZone } from "./refuse_zone.ts";

const table: [string, ReturnType<typeof refuseZone>][] = [
  ["cluster.local", undefined],
  ["default.svc.cluster.local", undefined],
  ["svc", undefined],
  ["my-namespace", undefined],
  ["db.example.com", undefined],
  ["", "zone-malformed"],
  [".", "zone-malformed"],
  ["~.", "zone-malformed"],
  ["web.", "zone-malformed"],
  [".web", "zone-malformed"],
  ["a..b", "zone-malformed"],
  ["--help", "zone-malformed"],
  ["-i", "zone-malformed"],
  ["a b", "zone-malformed"],
  ["Web", "zone-malformed"],
  ["com", "zone-top-level"],
  ["dev", "zone-top-level"],
  ["local", "zone-top-level"],
  ["localhost", "zone-top-level"],
  ["arpa", "zone-top-level"],
  ["in-addr.arpa", "zone-top-level"],
  ["10.in-addr.arpa", "zone-top-level"],
];

for (const [zone, expected] of table) {
  Deno.test(`refuseZone() of "${zone}": ${expected ?? "allowed"}`, () => {
    assert.equal(refuseZone(zone), expected);
  });
}

for (
  const [zone, expected] of [
    ["dev", undefined],
    ["my-namespace", undefined],
    ...["local", "localhost", "onion", "arpa", "in-addr.arpa"].map((one) =>
      [one, "zone-top-level"] as const
    ),
    ["--help", "zone-malformed"],
  ] as const
) {
  Deno.test(`refuseZone() of "${zone}", which the user wants: ${expected ?? "allowed"}`, () => {
    assert.equal(refuseZone(zone, { topLevel: true }), expected);
  });
}
