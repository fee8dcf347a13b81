import assert from "node:assert/strict";
import {
  clientLabel,
  encodeLaptopTarget,
  type Intercept,
} from "../../manager/api.ts";
import { openPair } from "../../tunnel/session_fake.ts";
import { workload } from "./cluster_fake.ts";
import {
  failure,
  place,
  quiet,
  request,
  thumbprint,
} from "./intercepts_fake.ts";

Deno.test("Intercepts.open() of the mode proxy-via takes subnets, and nothing of a container or for single labels", async () => {
  const { cluster, intercepts, search } = place();
  cluster.environment = { environment: { COLOR: "blue" }, mounts: [] };
  const { namespace: _, ...asked } = request({ mode: "proxy-via" });
  const subnets = ["10.9.0.0/16"];
  const held = await intercepts.open(
    { ...asked, namespace: "orders", subnets },
    {
      ...quiet(),
    },
  );
  const { spec } = cluster.intercepts()[0]!;
  assert.deepEqual([spec.mode, spec.ports, spec.subnets], [
    ...["proxy-via", [], subnets],
  ]);
  const { environment, global, mode, subnets: told } = held.parts!.info();
  assert.deepEqual({ environment, global, mode, told }, {
    ...{ environment: undefined, global: false, mode: "proxy-via" },
    told: subnets,
  });
  assert.deepEqual(search.current, ["default"]);
  await intercepts.leave({ name: "web" });
  assert.deepEqual(cluster.intercepts(), []);
});

Deno.test("Intercepts.open() makes the object, and is done when it is active", async () => {
  const { cluster, intercepts, search } = place();
  cluster.environment = {
    environment: {
      ...{ COLOR: "blue", PATH: "/of/the/pod" },
      DB_PORT: "tcp://10.96.0.7:5432",
    },
    mounts: [],
    podIp: "10.244.0.9",
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
  assert.equal(object!.metadata.namespace, "orders");
  assert.equal(object!.metadata.name, `web-${thumbprint.slice(0, 10)}`);
  assert.deepEqual(told, ["Using Deployment web"]);
  const info = held.parts!.info();
  assert.equal(info.disposition, "ACTIVE");
  assert.equal(info.target_port, 3000);
  assert.equal(info.service_uid, "uid-of-service-web");
  assert.equal(info.pod_ip, "10.244.0.9");
  assert.deepEqual(info.environment, {
    COLOR: "blue",
    DB_PORT: "tcp://198.18.0.7:5432",
    TELEPRESENCE_CONTAINER: "app",
    TELEPRESENCE_INTERCEPT_ID: object!.metadata.uid,
  });
  assert.deepEqual(search.current, ["default", "orders"]);
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

Deno.test("Intercepts.open() of a local-only one changes nothing but the search", async () => {
  const { cluster, intercepts, search } = place();
  await intercepts.open(request({ name: "names", localOnly: true }), quiet());
  assert.deepEqual(search.current, ["default", "orders"]);
  assert.deepEqual(cluster.intercepts(), []);
  assert.equal(intercepts.list()[0]!.mode, "local-only");
  await intercepts.leave({ name: "names" });
  assert.deepEqual(search.current, ["default"]);
});

Deno.test("Intercepts.open() of a local-only one warns of a namespace that is not there", async () => {
  for (const namespace of ["orders", "absent"]) {
    const { intercepts } = place();
    const told: string[] = [];
    await intercepts.open(request({ localOnly: true, namespace }), {
      ...quiet(),
      tell: (text) => told.push(text),
    });
    const warning = `Warning: namespace "absent" does not exist; ` +
      "no single-label name resolves";
    assert.deepEqual(told, namespace === "absent" ? [warning] : []);
    await intercepts[Symbol.asyncDispose]();
  }
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

Deno.test("Intercepts has a connection wait for the server that is started with its intercept, and for no other", async () => {
  for (
    const [more, waits] of [
      [{ isHeld: true }, true],
      [{ isHeld: false, isServedLater: true }, true],
      [{ isHeld: false }, false],
    ] as const
  ) {
    const { cluster, intercepts, table } = place();
    const listen = (port: number) =>
      Deno.listen({ hostname: "127.0.0.1", port });
    const free = listen(0);
    const { port: laptop } = free.addr as Deno.NetAddr;
    free.close();
    await intercepts.open(request({ ports: [{ laptop }], ...more }), quiet());
    await using pair = await openPair({ serveDialer: table.serve });
    const target = encodeLaptopTarget({
      intercept: cluster.intercepts()[0]!.metadata.uid!,
      port: { port: 8080, protocol: "TCP" },
    });
    const opening = pair.acceptor.open(target).then(
      (stream) => stream.reset(),
      ({ refusal }) => refusal,
    );
    // Nobody listens the first time that it is dialled.
    await new Promise((resolve) => setTimeout(resolve, 50));
    const server = listen(laptop);
    const accepting = server.accept().then((app) => app.close(), () => {});
    assert.equal(await opening, waits ? undefined : "refused");
    if (!waits) server.close();
    await accepting;
    if (waits) server.close();
    await intercepts[Symbol.asyncDispose]();
  }
});
