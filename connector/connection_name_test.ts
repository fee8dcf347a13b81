import assert from "node:assert/strict";
import { parseConnectionName, usualConnectionName } from "./connection_name.ts";

const refused = [
  ...["", "Two", "a.b", "a_b", "-a", "a-", "ä", "x".repeat(64)],
  ...["com", "dev", "svc", "arpa", "localhost", "local", "all"],
];

for (const text of refused) {
  Deno.test(`"${text}" is no name of a connection`, () => {
    assert.throws(
      () => parseConnectionName(text),
      new RegExp(`Cannot use the name "${text}" for a connection: `),
    );
  });
}

Deno.test("a label is a name of a connection", () => {
  for (const text of ["two", "2", "a-b", "x".repeat(63)]) {
    assert.equal(parseConnectionName(text), text);
  }
});

const usual: [context: string, namespace: string, name: string][] = [
  ["kind", "web", "kind-web"],
  ["arn:aws:eks:eu:1:cluster/Prod", "web", "arn-aws-eks-eu-1-cluster-prod-web"],
  ["admin@Cluster_1", "default", "admin-cluster-1-default"],
  ["x".repeat(70), "web", "x".repeat(63)],
  [`${"x".repeat(62)}!`, "web", "x".repeat(62)],
  ["日本", "com", "cluster-com"],
];

for (const [context, namespace, name] of usual) {
  Deno.test(`the usual name in context "${context}", namespace "${namespace}" is "${name}"`, () => {
    assert.equal(usualConnectionName({ context, namespace }), name);
    assert.equal(parseConnectionName(name), name);
  });
}

Deno.test("a top-level domain is told as such", () => {
  assert.throws(() => parseConnectionName("dev"), /: it is a top-level domain/);
});
