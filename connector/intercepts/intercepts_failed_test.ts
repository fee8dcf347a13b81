/** What becomes of intercepts that do not come about, or do not end. */
import assert from "node:assert/strict";
import type { FailureKind } from "../failure.ts";
import { refusal } from "./cluster_fake.ts";
import { failure, place, quiet, request } from "./intercepts_fake.ts";

Deno.test("Intercepts.open() fails as the manager says, and leaves nothing", async () => {
  for (
    const [status, kind] of [
      [{ phase: "Conflict" }, "intercept-conflict"],
      [{ phase: "Failed" }, "intercept-failed"],
      [{ phase: "Failed", reason: "OtherManager" }, "intercept-elsewhere"],
    ] as const
  ) {
    const { cluster, intercepts, search } = place();
    cluster.status = { ...status, message: "ben has it", details: ["a", "b"] };
    const error = await failure(
      intercepts.open(request(), quiet()),
      kind,
      /^Cannot intercept: ben has it$/,
    );
    assert.deepEqual(error.failure.details, ["a", "b"]);
    assert.deepEqual(cluster.intercepts(), []);
    assert.deepEqual(search.current, ["default"]);
  }
});

Deno.test("Intercepts deletes an object after all that could not be when its intercept was left", async () => {
  const { cluster, intercepts } = place();
  await intercepts.open(request(), quiet());
  let losses = 1;
  cluster.loses = (verb) =>
    verb === "delete" && losses-- > 0 ? "question" : undefined;
  await intercepts.leave({ name: "web" });
  assert.equal(cluster.intercepts().length, 1);
  while (cluster.intercepts().length > 0) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await intercepts[Symbol.asyncDispose]();
});

Deno.test("Intercepts.open() tells what the API server refuses", async () => {
  const policy =
    "intercepts.tp.dev \"x\" is forbidden: ValidatingAdmissionPolicy 'a' with binding 'b' denied request: not here";
  const table: [number, string, string, FailureKind, RegExp][] = [
    [403, "Forbidden", "no", "forbidden", /user "anna" lacks rights/],
    [403, "Forbidden", policy, "intercept-denied", /: not here$/],
    [
      404,
      "NotFound",
      "the server could not find",
      "intercepts-missing",
      /older/,
    ],
    [
      404,
      "NotFound",
      'namespaces "orders" not found',
      "workload-unknown",
      /"orders": there is none/,
    ],
    [422, "Invalid", "spec is bad", "intercept-failed", /spec is bad/],
    [
      422,
      "Invalid",
      'spec.mode: Unsupported value: "proxy-via"',
      "intercepts-missing",
      /older than that kind/,
    ],
  ];
  for (const [status, reason, detail, kind, told] of table) {
    const { cluster, intercepts } = place();
    cluster.refusal = refusal(status, reason, { plural: "intercepts", detail });
    const { failure: { adminCommands } } = await failure(
      intercepts.open(request(), quiet()),
      kind,
      told,
    );
    if (kind !== "forbidden") continue;
    assert.deepEqual(adminCommands, [
      "kubectl create rolebinding tp-intercept-anna --namespace orders --clusterrole tp-intercept --user anna",
    ]);
  }
});

Deno.test("Intercepts undoes all, and frees names, also when something cannot be undone", async () => {
  const { cluster, table, search, intercepts } = place();
  let stuck = 0;
  table.delete = async () => {
    stuck++;
    await new Promise((resolve) => setTimeout(resolve, 10));
    throw new Error("it is stuck");
  };
  await intercepts.open(request(), quiet());
  await assert.rejects(intercepts.leave({ name: "web" }), /stuck/);
  // By itself, in the same way.
  const { parts } = await intercepts.open(request(), quiet());
  cluster.remove("intercepts", cluster.intercepts()[0]!.metadata.name!);
  await parts!.ended;
  while (stuck < 2 || search.current.length > 1) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  cluster.status = { phase: "Failed", message: "no pods" };
  await failure(
    intercepts.open(request(), quiet()),
    "intercept-failed",
    /no pods$/,
  );
  cluster.status = { phase: "Active" };
  await intercepts.open(request({ ports: [{ laptop: 1 }] }), quiet());
  await intercepts.open(
    request({ name: "more", workload: "web", ports: [{ laptop: 2 }] }),
    quiet(),
  );
  await intercepts[Symbol.asyncDispose]();
  assert.equal(stuck, 5);
  assert.deepEqual(search.current, ["default"]);
  assert.deepEqual(cluster.intercepts(), []);
});

Deno.test("Intercepts.open() tells that the API server does not answer, and asks again the next time", async () => {
  const { cluster, intercepts } = place();
  cluster.isUserTold = false;
  await assert.rejects(
    intercepts.open(request(), quiet()),
    { name: "ApiUnreachableError" },
  );
  cluster.isUserTold = true;
  await intercepts.open(request(), quiet());
  await intercepts[Symbol.asyncDispose]();
});

Deno.test("Intercepts.open() refuses an address that does not resolve, and leaves nothing", async () => {
  const { cluster, intercepts } = place();
  await failure(
    intercepts.open(request({ address: "nowhere.invalid" }), quiet()),
    "address-unknown",
    /^Cannot use address "nowhere\.invalid": no host of that name/,
  );
  assert.deepEqual(cluster.intercepts(), []);
  const address = "web.lan";
  const held = await intercepts.open(request({ address }), quiet());
  assert.equal(held.parts!.info().target_host, address);
  await intercepts.leave({ name: "web" });
});

Deno.test("Intercepts.open() refuses an address that leads back to the cluster, and leaves nothing", async () => {
  const { cluster, intercepts } = place();
  for (const address of ["web.orders", "198.18.0.7"]) {
    await failure(
      intercepts.open(request({ address }), quiet()),
      "address-routed",
      /^Cannot use address ".*": .*198\.18\.0\.7.* by way of the cluster, so /,
    );
  }
  assert.deepEqual(cluster.intercepts(), []);
});

Deno.test("Intercepts.leave() tells whether the cluster has confirmed it", async () => {
  for (const isPending of [true, false]) {
    const { cluster, intercepts } = place();
    await intercepts.open(request(), quiet());
    cluster.loses = (verb) =>
      isPending && verb === "delete" ? "question" : undefined;
    assert.deepEqual(await intercepts.leave({ name: "web" }), { isPending });
    cluster.loses = () => undefined;
    await intercepts[Symbol.asyncDispose]();
    assert.deepEqual(cluster.intercepts(), []);
  }
});
