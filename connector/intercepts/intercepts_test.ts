import assert from "node:assert/strict";
import {
  clientLabel,
  encodeLaptopTarget,
  type Intercept,
} from "../../manager/api.ts";
import { Ip } from "../../net/mod.ts";
import { openPair } from "../../tunnel/session_fake.ts";
import { ConnectError, type FailureKind } from "../failure.ts";
import { SearchList } from "../search_list.ts";
import type { InterceptRequest } from "./api.ts";
import { FakeCluster, refusal, service, workload } from "./cluster_fake.ts";
import { InterceptTable } from "./intercept_table.ts";
import { Intercepts } from "./intercepts.ts";

const thumbprint = "ab".repeat(32);

function place() {
  const cluster = new FakeCluster();
  cluster.put("deployments", workload("web"));
  cluster.put("services", service("web"));
  const table = new InterceptTable();
  const search = new SearchList("default");
  const { api, link } = cluster;
  const intercepts = new Intercepts({
    ...{ api, link, thumbprint, table, search, namespace: "default" },
    managerNamespace: "ambassador",
    nameLaptop: () => Promise.resolve({ client: "anna@desk", label: "c0ffee" }),
    lookUp: (host) =>
      Promise.resolve(host === "web.lan" ? [Ip.parse("127.0.0.1")] : []),
  });
  return { cluster, table, search, intercepts };
}

function request(more: Partial<InterceptRequest> = {}): InterceptRequest {
  return {
    ...{ name: "web", mode: "intercept", namespace: "shop", ports: [] },
    ...{ address: "127.0.0.1", toPod: [], localOnly: false, isHeld: true },
    ...more,
  };
}

const quiet = () => ({
  signal: new AbortController().signal,
  tell: () => {},
});

async function failure(
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

Deno.test("Intercepts.open() makes the object, and is done when it is active", async () => {
  const { cluster, intercepts, search } = place();
  cluster.environment = {
    environment: { COLOR: "blue", PATH: "/of/the/pod" },
    mounts: [],
  };
  const told: string[] = [];
  const held = await intercepts.open(
    request({ ports: [{ laptop: 3000, wanted: "main" }] }),
    { ...quiet(), tell: (text) => told.push(text) },
  );
  const [object] = cluster.intercepts();
  assert.deepEqual(object!.spec, {
    name: "web",
    owner: "anna",
    client: "anna@desk",
    session: thumbprint,
    manager: "ambassador",
    workload: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
    mode: "intercept",
    container: "app",
    ports: [{
      ...{ port: 8080, protocol: "TCP" },
      ...{ service: "web", servicePort: "main" },
    }],
  });
  assert.equal(object!.metadata.namespace, "shop");
  assert.equal(object!.metadata.name, `web-${thumbprint.slice(0, 10)}`);
  assert.deepEqual(told, ["Using Deployment web"]);
  const info = held.parts!.info();
  assert.equal(info.disposition, "ACTIVE");
  assert.equal(info.target_port, 3000);
  assert.deepEqual(info.environment, {
    COLOR: "blue",
    TELEPRESENCE_CONTAINER: "app",
    TELEPRESENCE_INTERCEPT_ID: object!.metadata.uid,
  });
  assert.deepEqual(search.current, ["default", "shop"]);
  await intercepts.leave({ name: "web" });
  assert.deepEqual(cluster.intercepts(), []);
  assert.deepEqual(search.current, ["default"]);
  assert.deepEqual(intercepts.list(), []);
});

Deno.test("Intercepts serves an intercept's streams from its creation until it is left", async () => {
  const { cluster, intercepts, table } = place();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port: laptop } = listener.addr as Deno.NetAddr;
  await intercepts.open(request({ ports: [{ laptop }] }), quiet());
  await using pair = await openPair({ serveDialer: table.serve });
  const target = encodeLaptopTarget({
    intercept: cluster.intercepts()[0]!.metadata.uid!,
    port: { port: 8080, protocol: "TCP" },
  });
  const opening = pair.acceptor.open(target);
  (await listener.accept()).close();
  (await opening).close();
  await intercepts.leave({ name: "web" });
  await assert.rejects(pair.acceptor.open(target), {
    refusal: "unknown-target",
  });
});

Deno.test("Intercepts.open() fails as the manager says, and leaves nothing", async () => {
  for (
    const [phase, kind] of [
      ["Conflict", "intercept-conflict"],
      ["Failed", "intercept-failed"],
    ] as const
  ) {
    const { cluster, intercepts, search } = place();
    cluster.status = { phase, message: "ben has it", details: ["a", "b"] };
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

Deno.test("Intercepts.open() tells what the manager waits for, each thing once", async () => {
  const { cluster, intercepts } = place();
  cluster.status = { phase: "Waiting", message: "0 of 2 pods" };
  const told: string[] = [];
  const opening = intercepts.open(request(), {
    ...quiet(),
    tell: (text) => {
      told.push(text);
      const [object] = cluster.intercepts();
      if (text === "0 of 2 pods") {
        cluster.setStatus(object!, {
          phase: "Waiting",
          message: "1 of 2 pods",
        });
      }
      if (text === "1 of 2 pods") {
        cluster.setStatus(object!, { phase: "Active" });
      }
    },
  });
  await opening;
  assert.deepEqual(told, [
    "Using Deployment web",
    "0 of 2 pods",
    "1 of 2 pods",
  ]);
  await intercepts[Symbol.asyncDispose]();
});

Deno.test("Intercepts.open() deletes the object when it is called off", async () => {
  for (const by of ["signal", "leave", "dispose"] as const) {
    const { cluster, intercepts } = place();
    cluster.status = undefined;
    const abort = new AbortController();
    const opening = intercepts.open(request(), {
      ...quiet(),
      signal: abort.signal,
    });
    const failed = failure(opening, "called-off", /called off/);
    while (cluster.intercepts().length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    if (by === "signal") abort.abort();
    if (by === "leave") {
      await intercepts.leave({ name: "web", onlyUnfinished: true });
    }
    if (by === "dispose") await intercepts[Symbol.asyncDispose]();
    await failed;
    assert.deepEqual(cluster.intercepts(), [], by);
  }
});

Deno.test("Intercepts keeps names and laptop ports apart", async () => {
  const { cluster, intercepts } = place();
  cluster.put("deployments", workload("other"));
  await intercepts.open(request({ ports: [{ laptop: 3000 }] }), quiet());
  await failure(
    intercepts.open(request(), quiet()),
    "intercept-exists",
    /^Intercept with name "web" already exists$/,
  );
  const other = request({ name: "other", ports: [{ laptop: 3000 }] });
  await failure(
    intercepts.open(other, quiet()),
    "port-in-use",
    /^Port 127\.0\.0\.1:3000 is already in use by intercept web$/,
  );
  await failure(
    intercepts.open(request({ name: "Not a name" }), quiet()),
    "intercept-name",
    /"Not a name"/,
  );
  await failure(
    intercepts.leave({ name: "web", onlyUnfinished: true }),
    "intercept-unknown",
    /^Intercept named "web" not found$/,
  );
  assert.equal(cluster.intercepts().length, 1);
  await intercepts.leave({ name: "web" });
  await intercepts.open(other, quiet());
  await intercepts[Symbol.asyncDispose]();
  assert.deepEqual(cluster.intercepts(), []);
});

Deno.test("Intercepts deletes what a dead connector of the same user and laptop left", async () => {
  const { cluster, intercepts } = place();
  await intercepts.open(request(), quiet());
  const [own] = cluster.intercepts();
  const left = (name: string, label: string): Intercept => ({
    metadata: { name, uid: name, labels: { [clientLabel]: label } },
    spec: { ...own!.spec, session: "cd".repeat(32) },
  });
  const label = own!.metadata.labels![clientLabel]!;
  cluster.put("intercepts", left("left", label));
  await intercepts.open(
    request({ name: "second", workload: "web", ports: [{ laptop: 1 }] }),
    quiet(),
  );
  assert.deepEqual(cluster.deleted, ["left"]);
  await intercepts[Symbol.asyncDispose]();
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

Deno.test("Intercepts lets go of one whose object somebody else deletes", async () => {
  const { cluster, intercepts } = place();
  const held = await intercepts.open(request(), quiet());
  const { ended } = held.parts!;
  cluster.remove("intercepts", cluster.intercepts()[0]!.metadata.name!);
  assert.match(await ended, /deleted/);
  await held.close();
  assert.deepEqual(intercepts.list(), []);
  await intercepts.open(request(), quiet());
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
      'namespaces "shop" not found',
      "workload-unknown",
      /"shop": there is none/,
    ],
    [422, "Invalid", "spec is bad", "intercept-failed", /spec is bad/],
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
      "kubectl create rolebinding tp-intercept-anna --namespace shop --clusterrole tp-intercept --user anna",
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
    /^Cannot intercept with address "nowhere\.invalid": no host of that name/,
  );
  assert.deepEqual(cluster.intercepts(), []);
  const address = "web.lan";
  const held = await intercepts.open(request({ address }), quiet());
  assert.equal(held.parts!.info().target_host, address);
  await intercepts.leave({ name: "web" });
});

Deno.test("Intercepts.open() of a local-only one changes nothing but the search", async () => {
  const { cluster, intercepts, search } = place();
  await intercepts.open(request({ name: "names", localOnly: true }), quiet());
  assert.deepEqual(search.current, ["default", "shop"]);
  assert.deepEqual(cluster.intercepts(), []);
  assert.equal(intercepts.list()[0]!.mode, "local-only");
  await intercepts.leave({ name: "names" });
  assert.deepEqual(search.current, ["default"]);
});

Deno.test("Intercepts.open() warns when nothing listens on the laptop, unless a command is to come", async () => {
  for (const isHeld of [true, false]) {
    const { intercepts } = place();
    const told: string[] = [];
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port: laptop } = listener.addr as Deno.NetAddr;
    listener.close();
    await intercepts.open(request({ isHeld, ports: [{ laptop }] }), {
      ...quiet(),
      tell: (text) => told.push(text),
    });
    const warnings = told.filter((text) => /nothing listens/.test(text));
    assert.equal(warnings.length, isHeld ? 0 : 1);
    await intercepts[Symbol.asyncDispose]();
  }
});
