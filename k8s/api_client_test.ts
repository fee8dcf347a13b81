import assert from "node:assert/strict";
import { accessTo } from "./_access_fake.ts";
import { type FakeAnswer, FakeApiServer, status } from "./_api_server_fake.ts";
import { canI } from "./access_review.ts";
import { openApi } from "./api_client.ts";
import { ApiError } from "./api_error.ts";
import type { Credential } from "./credential.ts";
import { resources } from "./resource.ts";
import { ApiUnreachableError } from "./unreachable.ts";

const { pods, configMaps } = resources;

function pod(name: string) {
  return { metadata: { name, namespace: "a", resourceVersion: "1" } };
}

Deno.test("ApiClient asks one question after the other on one connection", async () => {
  await using server = FakeApiServer.start(() => ({ body: pod("x") }));
  await using api = openApi(accessTo(server.url), { userAgent: "tp/1" });
  for (let i = 0; i < 5; i++) {
    const got = await api.get(pods, { namespace: "a", name: "x" });
    assert.equal(got.metadata.name, "x");
  }
  assert.equal(server.connections, 1);
  const { method, path, headers } = server.asked[0]!;
  assert.equal(`${method} ${path}`, "GET /api/v1/namespaces/a/pods/x");
  assert.equal(headers.get("authorization"), "Bearer t0");
  assert.equal(headers.get("user-agent"), "tp/1");
  assert.equal(headers.get("host"), server.url.host);
});

Deno.test("ApiClient asks again on another connection when the kept one has ended", async () => {
  await using server = FakeApiServer.start(() => ({ body: pod("x") }));
  await using api = openApi(accessTo(server.url));
  await api.get(pods, { namespace: "a", name: "x" });
  server.cut();
  await api.get(pods, { namespace: "a", name: "x" });
  assert.equal(server.connections, 2);
});

Deno.test("ApiClient keeps the path of the server's address and asks to act as somebody else", async () => {
  await using server = FakeApiServer.start(() => ({ body: {} }));
  const access = accessTo(new URL("/k8s/c1/", server.url), {
    impersonation: [["Impersonate-User", "eve"], ["Impersonate-Group", "g"]],
  });
  await using api = openApi(access);
  await api.version();
  assert.deepEqual(server.questions, ["GET /k8s/c1/version"]);
  assert.equal(server.asked[0]!.headers.get("impersonate-user"), "eve");
  assert.equal(server.asked[0]!.headers.get("impersonate-group"), "g");
});

Deno.test("ApiClient tells a refusal with verb, resource, namespace and the server's words", async () => {
  const words = 'pods "x" is forbidden: User "eve" cannot get resource "pods"';
  await using server = FakeApiServer.start(() =>
    status(403, "Forbidden", words)
  );
  await using api = openApi(accessTo(server.url));
  await assert.rejects(
    api.get(pods, { namespace: "a", name: "x" }),
    (error: ApiError) => {
      assert.ok(error instanceof ApiError);
      assert.equal(error.status, 403);
      assert.equal(error.reason, "Forbidden");
      assert.deepEqual(error.question, {
        verb: "get",
        resource: "pods",
        group: "",
        namespace: "a",
        name: "x",
      });
      assert.equal(
        error.message,
        `Cannot get pods "x" in namespace "a": ${words}`,
      );
      return true;
    },
  );
});

Deno.test("ApiClient tells what a proxy on the way wrote when it is no Status", async () => {
  await using server = FakeApiServer.start(() => ({
    status: 502,
    body: "<html><style>p{}</style><h1>Bad\n Gateway</h1></html>",
  }));
  await using api = openApi(accessTo(server.url));
  await assert.rejects(api.version(), {
    message: "Cannot get version: Bad Gateway",
  });
});

Deno.test("ApiClient calls a server unreachable that answers with something else than JSON", async () => {
  await using server = FakeApiServer.start(() => ({ body: "<html>log in" }));
  await using api = openApi(accessTo(server.url));
  await assert.rejects(
    api.version(),
    (error) =>
      error instanceof ApiUnreachableError && error.kind === "protocol",
  );
});

/** Tokens t1, t2, … as they are renewed. */
function rotating(): Credential & { renewals: number } {
  let proof = { authorization: "Bearer t1" };
  return {
    renewals: 0,
    present: () => Promise.resolve(proof),
    renew(refused) {
      if (refused === proof) {
        this.renewals++;
        proof = { authorization: `Bearer t${this.renewals + 1}` };
      }
      return true;
    },
  };
}

Deno.test("ApiClient renews the credential after a 401 and asks once more", async () => {
  await using server = FakeApiServer.start(({ headers }) =>
    headers.get("authorization") === "Bearer t2"
      ? { body: { gitVersion: "v1.36.2" } }
      : status(401, "Unauthorized", "Unauthorized")
  );
  const credential = rotating();
  await using api = openApi(accessTo(server.url, { credential }));
  assert.equal((await api.version()).gitVersion, "v1.36.2");
  assert.equal(credential.renewals, 1);
  assert.equal(server.connections, 1);
});

Deno.test("ApiClient tells the second 401", async () => {
  await using server = FakeApiServer.start(() =>
    status(401, "Unauthorized", "Unauthorized")
  );
  await using api = openApi(
    accessTo(server.url, { credential: rotating() }),
  );
  await assert.rejects(api.version(), { status: 401, verb: "get" });
  assert.equal(server.asked.length, 2);
});

Deno.test("ApiClient asks again when a busy server says when", async () => {
  let busy = true;
  await using server = FakeApiServer.start(() => {
    const answer = busy
      ? { ...status(429, "TooManyRequests", "busy") }
      : { body: {} };
    if (busy) answer.headers = { "retry-after": "0" };
    busy = false;
    return answer;
  });
  await using api = openApi(accessTo(server.url));
  await api.version();
  assert.equal(server.asked.length, 2);
});

Deno.test("ApiClient.list() reads page by page and selects", async () => {
  await using server = FakeApiServer.start(({ query }) =>
    query.get("continue") === "more"
      ? { body: { metadata: {}, items: [pod("c")] } }
      : {
        body: { metadata: { continue: "more" }, items: [pod("a"), pod("b")] },
      }
  );
  await using api = openApi(accessTo(server.url));
  const found = await api.list(pods, {
    labelSelector: "app in (x,y)",
    fieldSelector: "spec.nodeName=n",
  });
  assert.deepEqual(found.map(({ metadata }) => metadata.name), ["a", "b", "c"]);
  for (const { path, query } of server.asked) {
    assert.equal(path, "/api/v1/pods");
    assert.equal(query.get("limit"), "500");
    assert.equal(query.get("labelSelector"), "app in (x,y)");
    assert.equal(query.get("fieldSelector"), "spec.nodeName=n");
  }
});

Deno.test("ApiClient.apply(), create(), patch(), replace() and delete() ask in the API's words", async () => {
  await using server = FakeApiServer.start(() => ({ body: pod("x") }));
  await using api = openApi(accessTo(server.url), { userAgent: "me" });
  const map = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "m", namespace: "a" },
    data: { text: "späße" },
  };
  await api.apply(map, { force: true, dryRun: true });
  await api.create(configMaps, map, { fieldManager: "other" });
  const ref = { namespace: "a", name: "m" };
  await api.patch(configMaps, { ...ref, changes: { data: null } });
  await api.replace(configMaps, map);
  await api.delete(configMaps, ref, { propagation: "Foreground", uid: "u" });
  await api.createSubresource(pods, {
    ...{ namespace: "a", name: "p", subresource: "eviction" },
    body: { apiVersion: "policy/v1", kind: "Eviction", metadata: {} },
  }, { dryRun: true });
  const base = "/api/v1/namespaces/a/configmaps";
  assert.deepEqual(server.questions, [
    `PATCH ${base}/m`,
    `POST ${base}`,
    `PATCH ${base}/m`,
    `PUT ${base}/m`,
    `DELETE ${base}/m`,
    "POST /api/v1/namespaces/a/pods/p/eviction",
  ]);
  const [apply, create, patch, , deletion, eviction] = server.asked;
  assert.equal(eviction!.query.get("dryRun"), "All");
  assert.equal(JSON.parse(eviction!.body).kind, "Eviction");
  assert.equal(
    apply!.query.toString(),
    "force=true&fieldManager=me&dryRun=All",
  );
  assert.equal(
    apply!.headers.get("content-type"),
    "application/apply-patch+yaml",
  );
  assert.equal(create!.query.toString(), "fieldManager=other");
  assert.equal(
    patch!.headers.get("content-type"),
    "application/merge-patch+json",
  );
  assert.deepEqual(JSON.parse(deletion!.body), {
    propagationPolicy: "Foreground",
    preconditions: { uid: "u" },
  });
});

Deno.test("ApiClient.find() and delete() take a missing object for an answer", async () => {
  await using server = FakeApiServer.start(() =>
    status(404, "NotFound", 'pods "x" not found')
  );
  await using api = openApi(accessTo(server.url));
  const ref = { namespace: "a", name: "x" };
  assert.equal(await api.find(pods, ref), undefined);
  assert.equal(await api.delete(pods, ref), false);
});

Deno.test("canI() asks for our own rights", async () => {
  await using server = FakeApiServer.start(({ body }) => {
    const { spec } = JSON.parse(body);
    const allowed = spec.resourceAttributes.verb === "get";
    return { body: { metadata: {}, spec, status: { allowed } } };
  });
  await using api = openApi(accessTo(server.url));
  const question = { resource: "pods", subresource: "portforward" };
  assert.equal(await canI(api, { ...question, verb: "get" }), true);
  assert.equal(await canI(api, { ...question, verb: "create" }), false);
});

Deno.test("ApiClient rejects with the caller's reason when called off", async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<FakeAnswer>();
  await using server = FakeApiServer.start(() => {
    asked.resolve();
    return answer.promise;
  });
  await using api = openApi(accessTo(server.url));
  const abort = new AbortController();
  const version = api.version({ signal: abort.signal });
  await asked.promise;
  abort.abort(new Error("enough"));
  await assert.rejects(version, { message: "enough" });
  answer.resolve({});
});

Deno.test("ApiClient knows by how much this clock is before the server's", async () => {
  const date = new Date(Date.now() - 3_600_000).toUTCString();
  await using server = FakeApiServer.start(() => ({
    ...{ body: pod("x"), headers: { Date: date } },
  }));
  await using api = openApi(accessTo(server.url));
  assert.equal(api.clockLeadMs, undefined);
  await api.get(pods, { namespace: "a", name: "x" });
  assert.ok(Math.abs(api.clockLeadMs! - 3_600_000) < 5_000);
});
