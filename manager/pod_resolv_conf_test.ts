import assert from "node:assert/strict";
import { parsePodResolvConf } from "./pod_resolv_conf.ts";

const parsed = (text: string) => {
  const { nameservers, clusterDomain } = parsePodResolvConf(text);
  return [nameservers.join(" "), clusterDomain];
};

Deno.test("parsePodResolvConf() takes the nameservers and what stands behind svc. in the search list", () => {
  assert.deepEqual(
    parsed(
      "search ambassador.svc.corp.internal svc.corp.internal corp.internal example.com\nnameserver 10.96.0.10\nnameserver 10.96.0.11\noptions ndots:5\n",
    ),
    ["10.96.0.10 10.96.0.11", "corp.internal"],
  );
});

Deno.test("parsePodResolvConf() takes three nameservers, as libc does, and passes over what is no address", () => {
  const addresses = [
    "dns",
    "10.96.0.10",
    "fd00:96::a",
    "192.0.2.1",
    "192.0.2.2",
  ];
  const lines = addresses.map((address) => `nameserver ${address}\n`);
  assert.deepEqual(parsed(lines.join("")), [
    "10.96.0.10 fd00:96::a 192.0.2.1",
    "cluster.local",
  ]);
});

Deno.test("parsePodResolvConf() knows the usual domain when the search list tells none", () => {
  assert.deepEqual(parsed("nameserver fd00:96::a\n"), [
    "fd00:96::a",
    "cluster.local",
  ]);
});

Deno.test("parsePodResolvConf() rejects a file without nameserver", () => {
  assert.throws(
    () => parsePodResolvConf("search svc.cluster.local\n"),
    SyntaxError,
  );
});
