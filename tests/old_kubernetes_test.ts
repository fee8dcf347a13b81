/** A Kubernetes that does not know what the manager is made of is told before anything is changed. */
import assert from "node:assert/strict";
import {
  installManager,
  lookForManager,
} from "../connector/cluster/manager.ts";
import { accessTo } from "../k8s/_access_fake.ts";
import { FakeApiServer, pem, status } from "../k8s/_api_server_fake.ts";
import { openApi } from "../k8s/mod.ts";

/** An API server that has nothing, and says of which version it is. */
function serverOf(major: string, minor: string): FakeApiServer {
  return FakeApiServer.start(({ method, path }) =>
    path === "/version"
      ? { body: { major, minor, gitVersion: `v${major}.${minor}.4` } }
      : path.endsWith("/selfsubjectaccessreviews")
      ? { status: 201, body: { status: { allowed: true } } }
      : status(method === "GET" ? 404 : 418, "NotFound", "not here")
  );
}

const options = {
  ...{ managerNamespace: "ambassador", image: "registry.invalid/tp" },
  ...{ signal: new AbortController().signal, tell: () => {} },
};

function writes({ asked }: FakeApiServer): string[] {
  return asked.filter(({ method, path }) =>
    method !== "GET" && !path.endsWith("/selfsubjectaccessreviews")
  ).map(({ method, path }) => `${method} ${path}`);
}

const ways = {
  "tp connect": lookForManager,
  "tp install": installManager,
} as const;

for (const [command, way] of Object.entries(ways)) {
  Deno.test(`${command} refuses a cluster that is too old, and changes nothing`, async () => {
    for (const [major, minor] of [["1", "29"], ["1", "9+"], ["0", "30"]]) {
      await using server = serverOf(major!, minor!);
      await using api = openApi(accessTo(server.url));
      await assert.rejects(way(api, options), {
        name: "ConnectError",
        message: "Cannot install the traffic manager: the cluster runs " +
          `Kubernetes v${major}.${minor}.4, and v1.30 or later is needed`,
      });
      assert.deepEqual(writes(server), []);
    }
  });
}

Deno.test("a cluster that is new enough, or does not tell a number, is tried", async () => {
  for (
    const [major, minor] of [["1", "30"], ["1", "31+"], ["2", "0"], ["", ""]]
  ) {
    await using server = serverOf(major!, minor!);
    await using api = openApi(accessTo(server.url));
    const { state } = await lookForManager(api, options);
    assert.equal(state, "missing");
    await assert.rejects(installManager(api, options), { status: 418 });
  }
});

Deno.test("tp install says which version is found, which is needed, and what to do", async () => {
  await using server = serverOf("1", "27");
  const kubeconfig = await Deno.makeTempFile();
  const authority = btoa(pem("ca.pem"));
  await Deno.writeTextFile(
    kubeconfig,
    JSON.stringify({
      ...{ apiVersion: "v1", kind: "Config", "current-context": "old" },
      contexts: [{ name: "old", context: { cluster: "old", user: "me" } }],
      users: [{ name: "me", user: { token: "t" } }],
      clusters: [{
        name: "old",
        cluster: {
          server: server.url.origin,
          "certificate-authority-data": authority,
        },
      }],
    }),
  );
  const main = new URL("../main.ts", import.meta.url).pathname;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", main, "install", "--kubeconfig", kubeconfig],
  }).output();
  await Deno.remove(kubeconfig);
  assert.equal(
    new TextDecoder().decode(stderr),
    "tp: Cannot install the traffic manager: the cluster runs Kubernetes v1.27.4, and v1.30 or later is needed\n" +
      "    Have an admin upgrade the cluster, or give a context whose cluster is newer: `--context NAME`\n",
  );
  assert.equal(code, 1);
  assert.deepEqual(writes(server), []);
});
