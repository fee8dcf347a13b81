import assert from "node:assert/strict";
import type { InterceptInfo, WorkloadInfo } from "../connector/api.ts";
import { interceptText, listText, wantedOf } from "./_intercept_text.ts";

const info: InterceptInfo = {
  ...{ id: "uid-1", name: "web", namespace: "shop", mode: "intercept" },
  ...{ disposition: "ACTIVE", workload: "web", workload_kind: "Deployment" },
  ...{ owner: "anna", client: "anna@desk", own: true },
  ...{ target_host: "127.0.0.1", target_port: 3000 },
  ports: [
    {
      ...{ container_port: 8080, protocol: "TCP", target_port: 3000 },
      ...{ port_id: "http", service_name: "web" },
    },
    { container_port: 53, protocol: "UDP", target_port: 5353 },
  ],
  ...{ filter_desc: "all TCP and UDP connections", global: true },
  ...{ pods: { ready: 2, wanted: 2 }, environment: {} },
};

Deno.test("interceptText() tells an intercept of this laptop", () => {
  assert.equal(
    interceptText({ ...info, mount: { local_dir: "/x", mounts: ["/y"] } }),
    [
      "   Intercept name           : web",
      "   State                    : ACTIVE",
      "   Workload kind            : Deployment",
      "   Destination              : 127.0.0.1:3000",
      "   Service Port Identifier  : http/TCP",
      "   Destination              : 127.0.0.1:5353",
      "   Container Port Identifier: 53/UDP",
      "   Volume Mount Point       : /x",
      "   Intercepting             : all TCP and UDP connections",
    ].join("\n"),
  );
});

Deno.test("interceptText() tells whose an intercept of another laptop is, and what it waits for", () => {
  const { target_host: _, target_port: __, ...other } = info;
  assert.equal(
    interceptText({
      ...{ ...other, own: false, owner: "ben", client: "ben@\x1b[2Jpc" },
      ...{ disposition: "WAITING", message: "1 of 2\npods" },
      ...{ pods: { ready: 1, wanted: 2 }, ports: [] },
    }),
    [
      "   Intercept name: web",
      "   State         : WAITING: 1 of 2 pods",
      "   Workload kind : Deployment",
      "   Owner         : ben (ben@�[2Jpc)",
      "   Intercepting  : all TCP and UDP connections",
      "   Pods          : 1 of 2",
    ].join("\n"),
  );
});

Deno.test("interceptText() tells what the pods of a workload dial", () => {
  const { filter_desc: _, target_host: __, target_port: ___, ...other } = info;
  const subnets = ["10.9.0.0/16", "fd00::/8"];
  assert.equal(
    interceptText({ ...other, mode: "proxy-via", ports: [], subnets }),
    [
      "   Proxy-via name: web",
      "   State         : ACTIVE",
      "   Workload kind : Deployment",
      "   Dialling      : 10.9.0.0/16, fd00::/8",
    ].join("\n"),
  );
});

function workload(name: string, more: Partial<WorkloadInfo>): WorkloadInfo {
  return {
    ...{ name, namespace: "shop", workload_resource_type: "Deployment" },
    ...{ uid: name, agent: false, intercept_infos: [], services: {} },
    ...more,
  };
}

const only = { name: "names", mode: "local-only" } as const;
const all = [
  workload("a", {}),
  workload("b", { agent: true }),
  workload("c", { not_interceptable_reason: "hostNetwork" }),
  workload("names", {
    workload_resource_type: "",
    intercept_infos: [{ ...info, ...only, ports: [] }],
  }),
  workload("web", { agent: true, intercept_infos: [info] }),
];

Deno.test("listText() tells the state of each workload", () => {
  assert.equal(
    listText(all),
    [
      "deployment a: ready to intercept (traffic-agent not yet installed)",
      "deployment b: ready to intercept (traffic-agent already installed)",
      "deployment c: not interceptable (traffic-agent not installed): hostNetwork",
      "names: local-only intercept",
      "deployment web: intercepted",
      interceptText(info),
    ].join("\n"),
  );
  assert.match(listText([]), /^No Workloads \(Deployments, /);
});

Deno.test("wantedOf() gives all, or those of any flag", () => {
  const none = {
    ...{ agents: false, intercepts: false, replacements: false },
    ...{ ingests: false, wiretaps: false },
  };
  const names = (flags: Partial<typeof none>) =>
    wantedOf(all, { ...none, ...flags }).map(({ name }) => name).join(" ");
  assert.equal(names({}), "a b c names web");
  assert.equal(names({ agents: true }), "b web");
  assert.equal(names({ intercepts: true }), "names web");
  assert.equal(names({ replacements: true }), "");
  assert.equal(names({ replacements: true, agents: true }), "b web");
});
