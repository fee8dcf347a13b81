import assert from "node:assert/strict";
import type { PortPlan } from "./agent_ports.ts";
import type { Handler, PodContainer } from "./pod_spec.ts";
import { askedPorts, askingNobody, askingTheApp } from "./probes.ts";

const ports = [
  { name: "http", containerPort: 80 },
  { name: "grpc", containerPort: 81 },
  { name: "other", containerPort: 82 },
];
const plans: PortPlan[] = [
  {
    ...{ port: 80, protocol: "TCP", agentPort: 9900, names: ["http"] },
    redirect: false,
  },
  {
    ...{ port: 81, protocol: "TCP", agentPort: 9901, names: [] },
    ...{ redirect: true, probePort: 9902 },
  },
  {
    ...{ port: 82, protocol: "UDP", agentPort: 9903, names: [] },
    redirect: true,
  },
];

const table: [what: string, before: Handler, after: Handler][] = [
  [
    "a name that the agent has becomes the app's number",
    { httpGet: { path: "/", port: "http" }, periodSeconds: 3 },
    { httpGet: { path: "/", port: 80 }, periodSeconds: 3 },
  ],
  [
    "a number stays where nothing is redirected",
    { tcpSocket: { port: 80 } },
    { tcpSocket: { port: 80 } },
  ],
  [
    "a port that is redirected is asked where the app answers",
    { grpc: { port: 81, service: "s" } },
    { grpc: { port: 9902, service: "s" } },
  ],
  [
    "by its name too",
    { tcpSocket: { port: "grpc" } },
    { tcpSocket: { port: 9902 } },
  ],
  [
    "not at another host",
    { httpGet: { host: "example.com", port: 81 } },
    { httpGet: { host: "example.com", port: 81 } },
  ],
  [
    "a port of UDP alone is none of these",
    { tcpSocket: { port: "other" } },
    { tcpSocket: { port: "other" } },
  ],
  [
    "a command is none of these",
    { exec: { command: ["true"] } },
    { exec: { command: ["true"] } },
  ],
  [
    "a name that is nobody's stays",
    { tcpSocket: { port: "none" } },
    { tcpSocket: { port: "none" } },
  ],
];

for (const [what, before, after] of table) {
  Deno.test(`askingTheApp(): ${what}`, () => {
    for (const kind of ["liveness", "readiness", "startup"]) {
      const container: PodContainer = {
        ...{ name: "app", ports },
        [`${kind}Probe`]: before,
      };
      assert.deepEqual(askingTheApp(container, plans), {
        ...container,
        [`${kind}Probe`]: after,
      });
    }
    const lifecycle = { postStart: before, preStop: before };
    const hooked = { name: "app", ports, lifecycle };
    assert.deepEqual(askingTheApp(hooked, plans).lifecycle, {
      postStart: after,
      preStop: after,
    });
    assert.deepEqual(askingNobody(hooked), { name: "app", ports });
  });
}

Deno.test("askedPorts() by number and by name, of the pod alone", () => {
  const container = (readinessProbe: Handler) => ({
    ...{ name: "app", ports, readinessProbe },
  });
  const asks = (handler: Handler) =>
    askedPorts(container(handler)).includes(80);
  assert.ok(asks({ httpGet: { port: 80 } }));
  assert.ok(asks({ tcpSocket: { port: "http" } }));
  assert.ok(!asks({ grpc: { port: 81 } }));
  assert.ok(!asks({ httpGet: { port: 80, host: "example.com" } }));
  assert.ok(!asks({}));
});
