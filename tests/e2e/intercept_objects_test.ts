/** What the API server makes of intercepts, by the schema, the policies and the roles that come with the manager. */
import assert from "node:assert/strict";
import { openCluster, waitFor } from "../cluster/mod.ts";
import {
  applyManifests,
  Somebody,
  specOf,
} from "../support/intercept_writers.ts";
import { managerPlace } from "../support/manager_place.ts";

const match = { combine: "all", methods: ["GET"] } as const;

Deno.test("who may intercept makes intercepts that are theirs, in their namespaces, and changes no one else's", async () => {
  const cluster = await openCluster();
  await using place = await managerPlace(cluster);
  await applyManifests(cluster, { namespace: place.namespace });
  await using namespace = await cluster.namespace();
  await using elsewhere = await cluster.namespace();
  const people = ["alice", "bob", "carol"].map((name) => `test:${name}`);
  const [alice, bob, carol] = people.map((name) =>
    new Somebody(cluster, namespace.name, name)
  ) as [Somebody, Somebody, Somebody];
  const bind = async (name: string, role: string, ...users: string[]) => {
    const { code, stderr } = await cluster.kubectl(
      ["--namespace", namespace.name, "create", "rolebinding", name]
        .concat("--clusterrole", role, ...users.map((one) => `--user=${one}`)),
    );
    assert.equal(code, 0, stderr);
  };
  await bind("users", "tp-intercept", people[0]!, people[1]!);
  await bind("admins", "tp-admin", people[2]!);

  const spec = specOf(people[0]!);
  await alice.denied(specOf(people[1]!));
  assert.match(
    await alice.create("of-bob", specOf(people[1]!)),
    /Forbidden.*The owner of an intercept must be who creates it/,
  );
  assert.equal(await alice.create("one", spec), "");
  assert.equal(await bob.create("two", specOf(people[1]!)), "");
  const there = new Somebody(cluster, elsewhere.name, people[0]);
  assert.match(await there.create("one", spec), /Forbidden/);

  const via = { mode: "proxy-via", ports: [], subnets: ["10.9.0.0/16"] };
  const refused: [unknown, RegExp][] = [
    [{ ...spec, mode: "steal" }, /spec.mode: Unsupported value: "steal"/],
    [{ ...spec, ports: [] }, /an intercept has ports/],
    [{ ...spec, mode: "ingest" }, /one of mode ingest or proxy-via has none/],
    [{ ...spec, ...via, ports: spec.ports }, /ingest or proxy-via has none/],
    [{ ...spec, ...via, subnets: [] }, /of mode proxy-via has subnets/],
    [{ ...spec, ...via, subnets: ["all"] }, /subnets\[0\].*should match/],
    [{ ...spec, subnets: via.subnets }, /has subnets, no other has/],
    [{ ...spec, session: "0" }, /spec.session.*should match/],
    [{ ...spec, container: "A" }, /spec.container.*should match/],
    [{ ...spec, match: { combine: "any" } }, /a match needs a condition/],
    [{ ...spec, owner: undefined }, /spec.owner: Required/],
    [
      { ...spec, ports: [{ port: 0, protocol: "SCTP" }] },
      /ports\[0\].port.*greater than or equal to 1/,
    ],
    [
      { ...spec, workload: { ...spec.workload, kind: "Job" } },
      /spec.workload.kind: Unsupported value: "Job"/,
    ],
  ];
  for (const [wrong, told] of refused) {
    assert.match(await alice.create("wrong", wrong), told);
  }
  assert.equal(
    await alice.create("matching", { ...spec, match }),
    "",
  );
  assert.equal(await alice.create("via", { ...spec, ...via }), "");

  const change = (spec: unknown) =>
    ["patch", "intercept", "one", "--type=merge", "-p"]
      .concat(JSON.stringify({ spec }));
  for (const changed of [{ session: "0a".repeat(32) }, { client: "other" }]) {
    const told = await alice.kubectl(change(changed));
    assert.match(told, /cannot be changed|keeps its owner and its session/);
  }
  const active = JSON.stringify({ status: { phase: "Active" } });
  assert.match(
    await alice.kubectl(
      ["patch", "intercept", "one", "--subresource=status", "--type=merge"]
        .concat("-p", active),
    ),
    /Forbidden.*intercepts\/status/i,
  );

  assert.match(
    await bob.delete("one"),
    /deleted by its owner, or by who may revoke intercepts/,
  );
  assert.equal(await alice.delete("one"), "");
  assert.equal(await carol.delete("two"), "");
  const { stdout } = await cluster.kubectl(
    ["--namespace", namespace.name, "get", "icept"],
  );
  const [head, row] = stdout.split("\n").map((line) => line.split(/\s+/));
  assert.deepEqual(
    head!.filter((word) => word !== ""),
    ["NAME", "WORKLOAD", "MODE", "OWNER", "CLIENT", "PHASE", "AGE"],
  );
  assert.deepEqual(row!.slice(0, 5), [
    ...["matching", "web", "intercept", people[0], `${people[0]}@laptop`],
  ]);

  // What is left goes with its namespace, although that is not by its owner.
  await cluster.kubectl([
    "delete",
    "namespace",
    namespace.name,
    "--wait=false",
  ]);
  await waitFor("end of the namespace", async () => {
    const { code } = await cluster.kubectl([
      "get",
      "namespace",
      namespace.name,
    ]);
    return code !== 0 || "it is still there";
  }, { timeoutMs: 30_000 });
});
