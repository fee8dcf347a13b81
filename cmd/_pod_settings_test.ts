import assert from "node:assert/strict";
import { readSettings as readAgentSettings } from "../agent/mod.ts";
import { readSettings as readManagerSettings } from "../manager/mod.ts";
import { errorText } from "./_error.ts";
import { settingsOfPod } from "./_pod_settings.ts";

const pod = { POD_NAME: "web-1", POD_IPS: "10.0.0.1" };
const missing: {
  what: string;
  env: Record<string, string>;
  read: (env: Record<string, string>) => unknown;
  told: RegExp;
}[] = [
  {
    ...{ what: "manager", env: {}, read: readManagerSettings },
    told: /^tp: Cannot start the manager: POD_NAMESPACE is not set\n {4}It /,
  },
  {
    ...{ what: "manager", read: readManagerSettings },
    env: { POD_NAMESPACE: "a", POD_IPS: "b" },
    told: /^tp: [^\n]*"b"[^\n]*\n {4}It /,
  },
  {
    ...{ what: "agent", env: {}, read: readAgentSettings },
    told: /^tp: Cannot start the agent: POD_NAME is not set\n {4}It /,
  },
  {
    ...{ what: "agent", env: { ...pod, TP_AGENT: "{" } },
    read: readAgentSettings,
    told: /^tp: [^\n]*\n {4}It /,
  },
];
for (const { what, env, read, told } of missing) {
  Deno.test(`what the ${what}'s environment lacks is told in a sentence: ${told}`, () => {
    try {
      settingsOfPod(env, read);
    } catch (error) {
      return assert.match(errorText(error), told);
    }
    assert.fail("nothing was thrown");
  });
}
