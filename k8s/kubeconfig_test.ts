import assert from "node:assert/strict";
import {
  type Kubeconfig,
  KubeconfigError,
  parseKubeconfig,
  selectContext,
} from "./kubeconfig.ts";

const first: Kubeconfig = {
  contexts: [
    { name: "red", context: { cluster: "c1", user: "u", namespace: "shop" } },
    { name: "lost", context: { cluster: "none", user: "u" } },
    { name: "nobody", context: { cluster: "c1", user: "none" } },
    { name: "anonymous", context: { cluster: "c2" } },
  ],
  clusters: [{ name: "c1", cluster: { server: "https://first" } }],
  users: [{ name: "u", user: { token: "first" } }],
};
const second: Kubeconfig = {
  "current-context": "blue",
  contexts: [
    { name: "red", context: { cluster: "c2", user: "u" } },
    { name: "blue", context: { cluster: "c2", user: "u" } },
  ],
  clusters: [
    { name: "c1", cluster: { server: "https://second" } },
    { name: "c2", cluster: { server: "https://c2" } },
  ],
  users: [{ name: "u", user: { username: "second" } }],
};
const files = [
  { path: "/a/first", content: first },
  { path: "/b/second", content: second },
];

Deno.test("selectContext() takes each entry whole from the first file that has it", () => {
  assert.deepEqual(selectContext(files, "red"), {
    context: "red",
    namespace: "shop",
    clusterName: "c1",
    cluster: { entry: { server: "https://first" }, path: "/a/first" },
    userName: "u",
    user: { entry: { token: "first" }, path: "/a/first" },
  });
  const blue = selectContext(files);
  assert.equal(blue.context, "blue");
  assert.equal(blue.namespace, "default");
  assert.equal(blue.cluster.path, "/b/second");
  assert.deepEqual(blue.user.entry, { token: "first" });
});

Deno.test("selectContext() takes a context without user for an anonymous one", () => {
  const { cluster, user } = selectContext(files, "anonymous");
  assert.equal(cluster.entry.server, "https://c2");
  assert.deepEqual(user.entry, {});
});

const problems = [
  {
    context: "green",
    kind: "unknown-context",
    message:
      'Cannot use context "green": the kubeconfig has "red", "lost", "nobody", "anonymous", "red", "blue"',
  },
  {
    context: "lost",
    kind: "broken",
    message:
      'Cannot use context "lost": its cluster "none" is not in the kubeconfig',
  },
  {
    context: "nobody",
    kind: "broken",
    message:
      'Cannot use context "nobody": its user "none" is not in the kubeconfig',
  },
];

Deno.test("selectContext() says what is missing", () => {
  for (const { context, kind, message } of problems) {
    assert.throws(
      () => selectContext(files, context),
      { name: "KubeconfigError", kind, message },
    );
  }
  const empty = [{ path: "/c", content: {} }];
  assert.throws(() => selectContext(empty), {
    kind: "unknown-context",
    message:
      "Cannot choose a context: current-context is not set; the kubeconfig has no context",
  });
});

Deno.test("parseKubeconfig() reads YAML, JSON and nothing", async () => {
  for (
    const text of [
      "current-context: red\ncontexts: null\n",
      '{"current-context": "red"}',
    ]
  ) {
    const { content } = await parseKubeconfig(text, "/x");
    assert.equal(content["current-context"], "red");
  }
  assert.deepEqual((await parseKubeconfig("", "/x")).content, {});
});

Deno.test("parseKubeconfig() refuses what is no kubeconfig", async () => {
  for (const text of ["a: [", "- a", "just text", "clusters: {a: b}"]) {
    await assert.rejects(
      parseKubeconfig(text, "/x"),
      (error) =>
        error instanceof KubeconfigError && error.kind === "broken" &&
        error.message.startsWith('Cannot use kubeconfig "/x": '),
    );
  }
});
