import assert from "node:assert/strict";
import { alternativeNames, nodeCertificate, subject } from "./pki.ts";
import { nodeSettings } from "./settings.ts";

Deno.test("subject() puts the groups before the name", () => {
  assert.equal(subject("jane", ["dev", "ops"]), "/O=dev/O=ops/CN=jane");
});

Deno.test("subject() escapes what separates the parts of a name", () => {
  assert.equal(
    subject("a/b", ["dev/team+1", "c\\d"]),
    "/O=dev\\/team\\+1/O=c\\\\d/CN=a\\/b",
  );
});

Deno.test("alternativeNames() tells addresses from names", () => {
  assert.equal(
    alternativeNames(["node1", "10.99.0.2", "fd00:99::2"]),
    "DNS:node1,IP:10.99.0.2,IP:fd00:99::2",
  );
});

Deno.test("nodeCertificate() names the node as the Node authorizer expects", () => {
  const { name, groups, hosts } = nodeCertificate(nodeSettings(2));
  assert.equal(name, "system:node:node2");
  assert.deepEqual(groups, ["system:nodes"]);
  assert.deepEqual(hosts, ["node2", "10.98.0.2", "fd00:98::2"]);
});
