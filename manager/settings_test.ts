import assert from "node:assert/strict";
import { readSettings } from "./settings.ts";

const env = {
  POD_NAMESPACE: "ambassador",
  POD_IPS: "10.244.0.7,fd00:244::7",
  TP_ALLOW: "169.254.169.254:80",
  MEMORY_LIMIT: "1073741824",
  HOSTNAME: "traffic-manager-1",
  TP_IMAGE: "registry.test/tp:1",
  TP_EXCLUDE_ENV: "*_PASSWORD",
};

Deno.test("readSettings() reads what the manifest sets, and what an admin adds", () => {
  const settings = readSettings(env);
  const { namespace, ownAddresses, exemptions, memoryLimitBytes } = settings;
  assert.equal(settings.podName, "traffic-manager-1");
  assert.equal(settings.image, "registry.test/tp:1");
  const environment = { A_PASSWORD: "x", B: "y" };
  assert.deepEqual(settings.withheld.without(environment), { B: "y" });
  assert.equal(namespace, "ambassador");
  assert.deepEqual(ownAddresses.map(String), ["10.244.0.7", "fd00:244::7"]);
  assert.equal(exemptions.length, 1);
  assert.equal(memoryLimitBytes, 1024 ** 3);
});

Deno.test("readSettings() knows of a direct endpoint when an admin wants one", () => {
  assert.equal(readSettings(env).directEndpoint, undefined);
  const direct = (text: string) => ({ ...env, TP_DIRECT_ENDPOINT: text });
  assert.deepEqual(readSettings(direct("tunnel.test:443")).directEndpoint, {
    ...{ host: "tunnel.test", port: 443 },
  });
  assert.throws(() => readSettings(direct("tunnel.test")), SyntaxError);
});

Deno.test("readSettings() names what is missing and rejects what it can not read", () => {
  const without = (name: string) => ({ ...env, [name]: "" });
  assert.throws(() => readSettings(without("POD_NAMESPACE")), /POD_NAMESPACE/);
  assert.throws(() => readSettings(without("POD_IPS")), /POD_IPS/);
  assert.deepEqual(readSettings(without("TP_ALLOW")).exemptions, []);
  const { memoryLimitBytes } = readSettings(without("MEMORY_LIMIT"));
  assert.equal(memoryLimitBytes, 1024 ** 3);
  assert.throws(() => readSettings({ ...env, POD_IPS: "x" }), SyntaxError);
  const odd = { ...env, TP_EXCLUDE_ENV: "A=B" };
  assert.throws(() => readSettings(odd), SyntaxError);
  assert.throws(() => readSettings({ ...env, TP_ALLOW: "x" }), SyntaxError);
});

Deno.test("readSettings() takes an intercept's grace from a minute to a week", () => {
  const grace = (text: string) =>
    readSettings({ ...env, TP_INTERCEPT_GRACE_SECONDS: text }).interceptGraceMs;
  assert.equal(readSettings(env).interceptGraceMs, undefined);
  assert.equal(grace(""), undefined);
  assert.equal(grace("60"), 60_000);
  assert.equal(grace("604800"), 604_800_000);
  for (const text of ["59", "604801", "1m", "-90", "9e1"]) {
    assert.throws(() => grace(text), {
      name: "SyntaxError",
      message: /TP_INTERCEPT_GRACE_SECONDS .* is no number from 60 to 604800$/,
    });
  }
});
