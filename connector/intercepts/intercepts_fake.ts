/** A connection's intercepts without a cluster, and what is asked of them. */
import assert from "node:assert/strict";
import { Ip, Subnet } from "../../net/mod.ts";
import { ConnectError, type FailureKind } from "../failure.ts";
import { SearchList } from "../network/search_list.ts";
import type { InterceptRequest } from "./api.ts";
import { FakeCluster, service, workload } from "./cluster_fake.ts";
import { InterceptTable } from "./intercept_table.ts";
import { Intercepts } from "./intercepts.ts";

/** Of the connection. */
export const thumbprint = "ab".repeat(32);

/** Of the cluster, as this laptop reaches it. */
const services = Subnet.parse("198.18.0.0/16");

/** The cluster's 10.96.0.0/16 is the host's, too. */
function toApp(ip: Ip): Ip {
  const [, , third, last] = ip.bytes;
  return Ip.parse(`198.18.${third}.${last}`);
}

/** Names that this laptop resolves. */
const hosts: Record<string, string> = {
  "web.lan": "127.0.0.1",
  "web.orders": "198.18.0.7",
};

/** The intercepts of a connection to a cluster that has one workload and its Service, in a namespace other than the connection's. */
export function place(namespace = "default") {
  const cluster = new FakeCluster();
  cluster.put("deployments", workload("web"));
  cluster.put("services", service("web"));
  const table = new InterceptTable();
  const search = new SearchList(namespace);
  const { api, link } = cluster;
  const intercepts = new Intercepts({
    toApp,
    leadsToCluster: (ip) => services.contains(ip),
    ...{ api, link, thumbprint, table, search, namespace },
    namespaces: () => ["default", "orders"],
    managerNamespace: "ambassador",
    nameLaptop: () => Promise.resolve({ client: "anna@desk", label: "c0ffee" }),
    lookUp: (host) => {
      const ip = hosts[host];
      return Promise.resolve(ip === undefined ? [] : [Ip.parse(ip)]);
    },
  });
  return { cluster, table, search, intercepts };
}

/** Of that workload, held. */
export function request(
  more: Partial<InterceptRequest> = {},
): InterceptRequest {
  return {
    ...{ name: "web", mode: "intercept", namespace: "orders", ports: [] },
    ...{ address: "127.0.0.1", toPod: [], localOnly: false, isHeld: true },
    ...more,
  };
}

export const quiet = () => ({
  signal: new AbortController().signal,
  tell: () => {},
});

/** Resolves to what `opening` rejects with, which must be as told. */
export async function failure(
  opening: Promise<unknown>,
  kind: FailureKind,
  told: RegExp,
): Promise<ConnectError> {
  const error = await opening.then(() => undefined, (error) => error);
  assert.ok(error instanceof ConnectError, String(error));
  assert.equal(error.failure.kind, kind, error.message);
  assert.match(error.message, told);
  return error;
}
