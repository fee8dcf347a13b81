import assert from "node:assert/strict";
import { ConnectError } from "../failure.ts";
import { parseDnsSettings } from "./dns_settings.ts";

Deno.test("parseDnsSettings() waits 10 s for the cluster, or as long as it is told, and says so in nanoseconds", () => {
  const unset = parseDnsSettings();
  assert.equal(unset.lookupTimeoutMs, 10_000);
  assert.deepEqual(unset.status, { lookup_timeout: 10_000_000_000 });
  const set = parseDnsSettings({ lookupTimeoutMs: 1, excludes: [] });
  assert.equal(set.lookupTimeoutMs, 1);
  assert.deepEqual(set.status, { lookup_timeout: 1_000_000 });
});

Deno.test("parseDnsSettings() names the setting that is wrong", () => {
  const wrong = [
    ...[0, -1, 1.5, NaN, 60_001].map((lookupTimeoutMs) => ({
      settings: { lookupTimeoutMs },
      name: "dns.lookupTimeoutMs",
    })),
    { settings: { includeSuffixes: ["a..b"] }, name: "dns.includeSuffixes" },
  ];
  for (const { settings, name } of wrong) {
    assert.throws(() => parseDnsSettings(settings), (error) => {
      assert.ok(error instanceof ConnectError);
      assert.equal(error.failure.kind, "setting-wrong");
      return error.failure.cause.startsWith(`Cannot use ${name} `);
    });
  }
});
