import assert from "node:assert/strict";
import { managerManifests } from "../../manager/client.ts";
import { formatRights, rightsToApply, rightsToConnect } from "./rights.ts";

Deno.test("rightsToConnect() asks for what the role of users grants, and for named objects only", () => {
  const rights = rightsToConnect("there");
  assert.deepEqual(
    rights.filter(({ subresource }) => subresource === "portforward"),
    ["get", "create"].map((verb) => ({
      verb,
      group: "",
      resource: "pods",
      subresource: "portforward",
      namespace: "there",
      name: "traffic-manager-0",
    })),
  );
  assert.ok(rights.every(({ namespace }) => namespace === "there"));
});

Deno.test("rightsToApply() asks once for each kind of object and place", () => {
  const manifests = managerManifests({
    namespace: "there",
    image: "i",
    version: "1.0.0",
  });
  const rights = rightsToApply(manifests);
  const keys = rights.map((right) => JSON.stringify(right));
  assert.equal(new Set(keys).size, keys.length);
  assert.deepEqual(rights.slice(0, 2), [
    { verb: "create", group: "", resource: "namespaces" },
    { verb: "patch", group: "", resource: "namespaces" },
  ]);
  assert.ok(
    rights.some(({ resource, namespace }) =>
      resource === "statefulsets" && namespace === "there"
    ),
  );
});

Deno.test("formatRights() has a line for each namespace and joins the verbs of a resource", () => {
  const rights = [
    { verb: "create", resource: "namespaces" },
    { verb: "patch", resource: "namespaces" },
    { verb: "create", resource: "clusterroles" },
    { verb: "get", resource: "pods", namespace: "there" },
    {
      verb: "create",
      resource: "pods",
      subresource: "portforward",
      namespace: "there",
    },
  ];
  assert.deepEqual(formatRights(rights), [
    "Missing in the cluster: create and patch namespaces, create clusterroles",
    'Missing in namespace "there": get pods, create pods/portforward',
  ]);
  assert.deepEqual(formatRights([]), []);
});
