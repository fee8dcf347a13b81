import assert from "node:assert/strict";
import { pathOf, resource, resourceOf, resources } from "./resource.ts";

Deno.test("pathOf() places collections, objects and subresources", () => {
  const { pods, statefulSets, nodes } = resources;
  assert.equal(pathOf(pods), "/api/v1/pods");
  assert.equal(
    pathOf(pods, { namespace: "a", name: "b", subresource: "log" }),
    "/api/v1/namespaces/a/pods/b/log",
  );
  assert.equal(
    pathOf(statefulSets, { namespace: "a" }),
    "/apis/apps/v1/namespaces/a/statefulsets",
  );
  assert.equal(pathOf(nodes, { name: "n" }), "/api/v1/nodes/n");
});

Deno.test("pathOf() never lets a name leave its place in the path", () => {
  assert.equal(
    pathOf(resources.pods, { namespace: "a/../b", name: "x?y" }),
    "/api/v1/namespaces/a%2F..%2Fb/pods/x%3Fy",
  );
});

Deno.test("resourceOf() finds the collection of a manifest and refuses what it does not know", () => {
  const manifest = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "x" },
  };
  assert.equal(resourceOf(manifest).plural, "networkpolicies");
  assert.throws(
    () => resourceOf({ ...manifest, apiVersion: "v1" }),
    /Cannot place object of kind "NetworkPolicy"/,
  );
});

Deno.test("resource() takes group, version and plural apart", () => {
  assert.deepEqual(resource("tp.dev/v1alpha1", "Intercept"), {
    group: "tp.dev",
    version: "v1alpha1",
    kind: "Intercept",
    plural: "intercepts",
    namespaced: true,
  });
});
