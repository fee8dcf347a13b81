import assert from "node:assert/strict";
import type { PortPlan } from "./agent_ports.ts";
import type { PodContainer } from "./pod_spec.ts";
import { moveNames } from "./port_names.ts";

function plan(
  port: number,
  agentPort: number,
  names: string[],
  protocol: "TCP" | "UDP" = "TCP",
): PortPlan {
  return { port, protocol, agentPort, names, redirect: false };
}

interface Row {
  what: string;
  containers: PodContainer[];
  plans: PortPlan[];
  /** Ports of each container, then of the agent. */
  after: unknown[];
}

const table: Row[] = [
  {
    what: "names go to the agent, with all that leads to the port by its node",
    containers: [{
      name: "a",
      ports: [
        { name: "http", containerPort: 80, protocol: "TCP", hostPort: 8080 },
        { name: "admin", containerPort: 81 },
        { containerPort: 82 },
      ],
    }],
    plans: [plan(80, 9900, ["http"]), plan(82, 9901, [])],
    after: [
      [
        { containerPort: 80, protocol: "TCP", hostPort: 8080 },
        { name: "admin", containerPort: 81 },
        { containerPort: 82 },
      ],
      [{ name: "http", containerPort: 9900, protocol: "TCP" }],
    ],
  },
  {
    what: "a port with two names is the agent's under both",
    containers: [{
      name: "a",
      ports: [
        { name: "http", containerPort: 80 },
        { name: "web", containerPort: 80 },
      ],
    }],
    plans: [plan(80, 9900, ["http", "web"])],
    after: [
      [{ containerPort: 80 }, { containerPort: 80 }],
      [
        { name: "http", containerPort: 9900, protocol: "TCP" },
        { name: "web", containerPort: 9900, protocol: "TCP" },
      ],
    ],
  },
  {
    what: "of two containers with a name, Services mean the first",
    containers: [
      { name: "a", ports: [{ name: "http", containerPort: 80 }] },
      { name: "b", ports: [{ name: "http", containerPort: 81 }] },
    ],
    plans: [plan(80, 9900, ["http"]), plan(81, 9901, ["http"])],
    after: [
      [{ containerPort: 80 }],
      [{ containerPort: 81 }],
      [{ name: "http", containerPort: 9900, protocol: "TCP" }],
    ],
  },
  {
    what: "a name of two protocols is two ports, each found by its protocol",
    containers: [
      { name: "a", ports: [{ name: "dns", containerPort: 53 }] },
      {
        name: "b",
        ports: [{ name: "dns", containerPort: 53, protocol: "UDP" }],
      },
    ],
    plans: [plan(53, 9900, ["dns"]), plan(53, 9901, ["dns"], "UDP")],
    after: [
      [{ containerPort: 53 }],
      [
        { containerPort: 53, protocol: "UDP" },
        { name: "dns", containerPort: 9901, protocol: "UDP" },
      ],
      [{ name: "dns", containerPort: 9900, protocol: "TCP" }],
    ],
  },
  {
    what: "containers without ports, and names that no Service means, stay",
    containers: [
      { name: "a" },
      { name: "b", ports: [{ name: "http", containerPort: 80 }] },
    ],
    plans: [plan(80, 9900, [])],
    after: [undefined, [{ name: "http", containerPort: 80 }], []],
  },
];

for (const { what, containers, plans, after } of table) {
  Deno.test(`moveNames(): ${what}`, () => {
    const before = structuredClone(containers);
    const { containers: changed, agentPorts } = moveNames(containers, plans);
    assert.deepEqual([...changed.map(({ ports }) => ports), agentPorts], after);
    assert.deepEqual(containers, before);
  });
}
