import assert from "node:assert/strict";
import type { Service, ServicePort } from "../../k8s/mod.ts";
import { ConnectError, type FailureKind } from "../failure.ts";
import { isMeantBy } from "./port_choices.ts";
import { planPorts, type PortPlanRequest } from "./port_plan.ts";
import { parsePortRequest } from "./port_request.ts";

function service(name: string, ports: ServicePort[]): Service {
  return { metadata: { name }, spec: { selector: { app: "web" }, ports } };
}

const containers = [
  {
    name: "web",
    ports: [
      { name: "http", containerPort: 8080 },
      { name: "dns", containerPort: 53, protocol: "UDP" as const },
    ],
  },
  { name: "beside", ports: [{ containerPort: 9000 }] },
];

const one = service("web", [{ name: "main", port: 80, targetPort: "http" }]);
const two = service("two", [
  { name: "main", port: 80, targetPort: "http" },
  { name: "admin", port: 81, targetPort: 9000 },
]);
const mixed = service("dns", [
  { name: "dns", port: 53, targetPort: "dns", protocol: "UDP" },
  { name: "main", port: 80, targetPort: 8080 },
]);

interface Case {
  services?: Service[];
  ports?: string[];
  bare?: boolean;
  more?: Partial<PortPlanRequest>;
}

function plan({ services = [], ports = [], bare = false, more }: Case): string {
  const request: PortPlanRequest = {
    mode: "intercept",
    workload: 'Deployment "web"',
    ports: ports.map(parsePortRequest),
    ...more,
  };
  const pod = { containers: bare ? [{ name: "web" }] : containers };
  const { ports: found, container } = planPorts(request, {
    labels: { app: "web" },
    pod,
    services,
  });
  const texts = found.map(({ pod, laptop }) =>
    `${laptop}<-${pod.port}/${pod.protocol}` +
    (pod.service ? ` ${pod.service}:${pod.servicePort}` : "")
  );
  return [...texts, container].join(", ");
}

const table: [what: string, Case, planned: string][] = [
  [
    "the only port of the only Service, and the container's port on the laptop",
    { services: [one] },
    "8080<-8080/TCP web:main, web",
  ],
  ["another port on the laptop", {
    services: [one],
    ports: ["3000"],
  }, "3000<-8080/TCP web:main, web"],
  ["a Service's port by name", {
    services: [two],
    ports: ["3000:admin"],
  }, "3000<-9000/TCP two:admin, beside"],
  ["a Service's port by number", {
    services: [two],
    ports: ["3000:80"],
  }, "3000<-8080/TCP two:main, web"],
  ["several ports", {
    services: [two],
    ports: ["3000:80", "3001:81"],
  }, "3000<-8080/TCP two:main, 3001<-9000/TCP two:admin, web"],
  [
    "two Services that lead to one port",
    { services: [one, service("same", [{ port: 8888, targetPort: 8080 }])] },
    "8080<-8080/TCP web:main, web",
  ],
  ["the only port of a protocol", {
    services: [mixed],
    ports: ["5353/UDP"],
  }, "5353<-53/UDP dns:dns, web"],
  ["the port of a Service that is named", {
    services: [one, mixed],
    ports: ["53:53"],
    more: { service: "dns" },
  }, "53<-53/UDP dns:dns, web"],
  ["a container's port that no Service means", {
    services: [one],
    ports: ["9000:9000"],
  }, "9000<-9000/TCP, beside"],
  ["a container's port by name without a Service", {
    ports: ["3000:http"],
  }, "3000<-8080/TCP, web"],
  ["a number where nobody declares any", {
    bare: true,
    ports: ["3000:4000"],
  }, "3000<-4000/TCP, web"],
  ["another container's environment", {
    services: [one],
    more: { container: "beside" },
  }, "8080<-8080/TCP web:main, beside"],
  ["all ports of a container that is replaced", {
    services: [two],
    more: { mode: "replace" },
  }, "8080<-8080/TCP two:main, 53<-53/UDP, web"],
  ["some ports of a container that is replaced", {
    more: { mode: "replace", container: "beside" },
    ports: ["1:9000"],
  }, "1<-9000/TCP, beside"],
  ["no port of a container that is replaced and has none", {
    bare: true,
    more: { mode: "replace" },
  }, "web"],
  ["no port for environment and volumes only", {
    services: [one],
    more: { mode: "ingest" },
  }, "web"],
];

for (const [what, given, planned] of table) {
  Deno.test(`planPorts() finds ${what}`, () => {
    assert.equal(plan(given), planned);
  });
}

const broken: [what: string, Case, FailureKind, told: RegExp][] = [
  [
    "a workload with several ports",
    { services: [two] },
    "port-ambiguous",
    /Cannot intercept Deployment "web": it has the ports "main" \(80\) of Service "two", "admin" \(81\) of Service "two"/,
  ],
  [
    "a port that is not there",
    { services: [one], ports: ["1:nope"] },
    "port-unknown",
    /it has no port "nope"; there is "main" \(80\) of Service "web"/,
  ],
  [
    "no port at all",
    { bare: true },
    "port-unknown",
    /no Service means its pods, and no container declares a port/,
  ],
  [
    "a Service that means other pods",
    { services: [one], more: { service: "other" } },
    "service-unknown",
    /the Services that mean its pods are "web"/,
  ],
  [
    "a container that is not there",
    { services: [one], more: { container: "other" } },
    "container-unknown",
    /there are "web", "beside"/,
  ],
  [
    "a match with a port of datagrams",
    {
      services: [mixed],
      ports: ["53:dns"],
      more: { match: { combine: "all", methods: ["GET"] } },
    },
    "match-without-requests",
    /^Cannot intercept requests of Deployment "web" at port 53\/UDP: only HTTP over TCP has requests to match$/,
  ],
  [
    "one port twice",
    { services: [one], ports: ["1:main", "2:80"] },
    "port-ambiguous",
    /port 8080\/TCP twice/,
  ],
];

for (const [what, given, kind, told] of broken) {
  Deno.test(`planPorts() refuses ${what}, and says what there is`, () => {
    assert.throws(
      () => plan(given),
      (error: ConnectError) => {
        assert.equal(error.failure.kind, kind);
        assert.match(error.message, told);
        return true;
      },
    );
  });
}

Deno.test("isMeantBy() is about all labels of a selector, and no selector means nothing", () => {
  const means = (selector: Record<string, string> | undefined) =>
    isMeantBy({ metadata: {}, spec: selector ? { selector } : {} }, {
      app: "web",
      tier: "a",
    });
  assert.equal(means({ app: "web" }), true);
  assert.equal(means({ app: "web", tier: "b" }), false);
  assert.equal(means({}), false);
  assert.equal(means(undefined), false);
});
