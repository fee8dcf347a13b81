import assert from "node:assert/strict";
import { readClusterExtensions } from "./cluster_extensions.ts";
import { KubeconfigError } from "./kubeconfig.ts";

const kubeconfig = `
current-context: dev
contexts:
  - { name: dev, context: { cluster: one } }
  - { name: bare, context: { cluster: two } }
  - { name: odd, context: { cluster: three } }
clusters:
  - name: one
    cluster:
      server: https://one
      extensions: [{ name: tp.dev, extension: { dns: {} } }]
  - name: two
  - { name: three, cluster: { extensions: [null, 7, { name: a }] } }
`;

Deno.test("readClusterExtensions() gives the extensions of a context's cluster as they stand", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, kubeconfig);
    const read = (context?: string) =>
      readClusterExtensions({
        ...{ kubeconfig: path, env: {} },
        ...context === undefined ? {} : { context },
      });
    assert.deepEqual(await read(), {
      ...{ path, cluster: "one" },
      extensions: [{ name: "tp.dev", extension: { dns: {} } }],
    });
    assert.deepEqual((await read("bare"))!.extensions, []);
    assert.deepEqual((await read("odd"))!.extensions, [{ name: "a" }]);
    await assert.rejects(read("absent"), KubeconfigError);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("readClusterExtensions() gives nothing without a kubeconfig", async () => {
  const env = { HOME: "/absent" };
  assert.equal(await readClusterExtensions({ env }), undefined);
});
