import assert from "node:assert/strict";
import type { Pod, Service, ServicePort } from "../../k8s/mod.ts";
import type { TakenPort } from "../agent_object.ts";
import type { PodPort } from "../intercept.ts";
import { takenPorts } from "./taken_ports.ts";

const pod: NonNullable<Pod["spec"]> = {
  containers: [
    {
      name: "app",
      ports: [
        { name: "http", containerPort: 8080 },
        { containerPort: 9090 },
        { name: "dns", containerPort: 53, protocol: "UDP" },
      ],
    },
    { name: "side", ports: [{ name: "metrics", containerPort: 9100 }] },
  ],
};

function service(
  ports: ServicePort[],
  { selector = { app: "web" }, clusterIP = "10.0.0.1" }: {
    selector?: Record<string, string>;
    clusterIP?: string;
  } = {},
): Service {
  return { metadata: { name: "web" }, spec: { clusterIP, selector, ports } };
}

const http = { port: 8080, protocol: "TCP" as const, container: "app" };

const table: {
  what: string;
  services?: Service[];
  wanted?: PodPort[];
  present?: TakenPort[];
  ports: TakenPort[];
}[] = [
  {
    what: "a target port by name",
    services: [service([{ port: 80, targetPort: "http" }])],
    ports: [{ ...http, names: ["http"], redirect: false }],
  },
  {
    what: "a target port by number",
    services: [service([{ port: 80, targetPort: 8080 }])],
    ports: [{ ...http, names: [], redirect: true }],
  },
  {
    what: "no target port: the Service's own number",
    services: [service([{ port: 9090 }])],
    ports: [
      { ...http, port: 9090, names: [], redirect: true },
    ],
  },
  {
    what: "a headless Service, which leads to the pod's own port",
    services: [
      service([{ port: 80, targetPort: "http" }], { clusterIP: "None" }),
    ],
    ports: [{ ...http, names: ["http"], redirect: true }],
  },
  {
    what: "two Services, by name and by number",
    services: [
      service([{ port: 80, targetPort: "http" }]),
      service([{ port: 81, targetPort: 8080 }]),
    ],
    ports: [{ ...http, names: ["http"], redirect: true }],
  },
  {
    what: "UDP, beside TCP of another container",
    services: [
      service([
        { port: 9100, targetPort: "metrics" },
        { port: 53, targetPort: "dns", protocol: "UDP" },
      ]),
    ],
    ports: [
      {
        ...{ port: 53, protocol: "UDP", container: "app" },
        ...{ names: ["dns"], redirect: false },
      },
      {
        ...{ port: 9100, protocol: "TCP", container: "side" },
        ...{ names: ["metrics"], redirect: false },
      },
    ],
  },
  {
    what:
      "Services of other pods, without a selector, of SCTP, of an unknown name",
    services: [
      service([{ port: 80 }], { selector: { app: "other" } }),
      service([{ port: 80 }], { selector: {} }),
      service([{ port: 80, protocol: "SCTP" }]),
      service([{ port: 80, targetPort: "nobody" }]),
    ],
    ports: [],
  },
  {
    what: "a port that no Service means, and one that is there by name",
    services: [service([{ port: 80, targetPort: "http" }])],
    wanted: [
      { port: 8080, protocol: "TCP" },
      { port: 5005, protocol: "TCP" },
    ],
    ports: [
      { port: 5005, protocol: "TCP", names: [], redirect: true },
      { ...http, names: ["http"], redirect: false },
    ],
  },
  {
    what: "what the agent has stays",
    present: [{ port: 5005, protocol: "TCP", names: [], redirect: true }],
    ports: [{ port: 5005, protocol: "TCP", names: [], redirect: true }],
  },
];

for (const { what, services = [], wanted = [], present = [], ports } of table) {
  Deno.test(`takenPorts() with ${what}`, () => {
    const labels = { app: "web", tier: "front" };
    const sources = { labels, pod, services, wanted, present };
    assert.deepEqual(takenPorts(sources), ports);
  });
}
