import assert from "node:assert/strict";
import type { AgentConfig } from "../manager/api.ts";
import { readSettings } from "./settings.ts";

const config: AgentConfig = {
  namespace: "shop",
  workload: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
  manager: "traffic-manager-agents.ambassador.svc",
  anyManager: "traffic-manager-any.ambassador.svc",
  ports: [
    { port: 8080, protocol: "TCP", agentPort: 9900, redirect: false },
    {
      ...{ port: 53, protocol: "UDP", agentPort: 9901, redirect: true },
      probePort: 9902,
    },
  ],
  containers: [{ name: "app", mounts: [{ path: "/data", readOnly: true }] }],
};
const env = {
  TP_AGENT: JSON.stringify(config),
  POD_NAME: "web-1",
  POD_IPS: "10.1.2.3, fd00::3",
};

Deno.test("readSettings() reads what the webhook sets", () => {
  const { pod, ownAddresses, ...rest } = readSettings(env);
  assert.deepEqual(rest, config);
  assert.equal(pod, "web-1");
  assert.deepEqual(ownAddresses.map(String), ["10.1.2.3", "fd00::3"]);
});

Deno.test("readSettings() names what is missing or wrong", () => {
  const [port] = config.ports;
  const cases: [change: Record<string, unknown>, message: RegExp][] = [
    [{ namespace: undefined }, /TP_AGENT.namespace/],
    [{ workload: { kind: "Deployment" } }, /TP_AGENT.workload.apiVersion/],
    [{ ports: {} }, /TP_AGENT.ports/],
    [{ ports: [{ ...port, port: 65_536 }] }, /TP_AGENT.ports\[0\].port/],
    [{ ports: [{ ...port, protocol: "SCTP" }] }, /ports\[0\].protocol/],
    [{ ports: [{ ...port, redirect: 1 }] }, /ports\[0\].redirect/],
    [{ ports: [{ ...port, probePort: 0 }] }, /ports\[0\].probePort/],
    [{ containers: [{ name: "../x", mounts: [] }] }, /containers\[0\].name/],
    [{ containers: [{ name: "app" }] }, /containers\[0\].mounts/],
  ];
  for (const [change, message] of cases) {
    const changed = JSON.stringify({ ...config, ...change });
    assert.throws(() => readSettings({ ...env, TP_AGENT: changed }), {
      name: "TypeError",
      message,
    });
  }
  const { POD_NAME: _, ...unnamed } = env;
  assert.throws(() => readSettings(unnamed), /POD_NAME is not set/);
  assert.throws(() => readSettings({ ...env, TP_AGENT: "{" }), SyntaxError);
});
