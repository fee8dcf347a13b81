import assert from "node:assert/strict";
import { pem } from "./_api_server_fake.ts";
import { inClusterAccess } from "./_in_cluster.ts";
import { loadAccess, type LoadAccessOptions } from "./access.ts";

const authority = pem("ca.pem");
const certificate = { cert: pem("client.pem"), key: pem("client.key") };

/** A folder with those files, removed at the end. */
async function folder(files: Record<string, string>) {
  const path = await Deno.makeTempDir();
  for (const [name, text] of Object.entries(files)) {
    const [, parent] = /^(.*)\//.exec(name) ?? [];
    if (parent) await Deno.mkdir(`${path}/${parent}`, { recursive: true });
    await Deno.writeTextFile(`${path}/${name}`, text);
  }
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** A kubeconfig of one context; JSON is YAML. */
function config(cluster: object, user: object = {}): string {
  return JSON.stringify({
    "current-context": "x",
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    clusters: [{ name: "c", cluster: { server: "https://h:1", ...cluster } }],
    users: [{ name: "u", user }],
  });
}

async function load(
  text: string,
  options: Partial<LoadAccessOptions> = {},
) {
  await using home = await folder({ ".kube/config": text });
  return await loadAccess({ env: {}, home: home.path, ...options });
}

function base64(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}

Deno.test("loadAccess() reads ~/.kube/config, and what it names beside it", async () => {
  const text = config(
    { "certificate-authority": "pki/ca.pem", "tls-server-name": "api" },
    { "client-certificate": "pki/c.pem", "client-key": "pki/c.key" },
  );
  await using home = await folder({
    ".kube/config": text,
    ".kube/pki/ca.pem": authority,
    ".kube/pki/c.pem": certificate.cert,
    ".kube/pki/c.key": certificate.key,
  });
  const access = await loadAccess({ env: { HOME: home.path } });
  assert.equal(access.context, "x");
  assert.equal(access.namespace, "default");
  assert.equal(access.server.href, "https://h:1/");
  assert.deepEqual(access.trust, {
    authority,
    serverName: "api",
    insecure: false,
  });
  assert.deepEqual(await access.credential.present(), { certificate });
});

Deno.test("loadAccess() takes data inside the kubeconfig before files", async () => {
  const access = await load(config(
    {
      "certificate-authority": "absent",
      "certificate-authority-data": base64(authority),
    },
    {
      "client-certificate-data": base64(certificate.cert),
      "client-key-data": base64(certificate.key),
      token: "t\n",
    },
  ));
  assert.equal(access.trust.authority, authority);
  assert.deepEqual(await access.credential.present(), {
    certificate,
    authorization: "Bearer t",
  });
});

Deno.test("loadAccess() merges the files of KUBECONFIG and passes over those that are not there", async () => {
  await using home = await folder({
    "one/config": JSON.stringify({
      contexts: [{
        name: "two",
        context: { cluster: "c", user: "u", namespace: "n" },
      }],
    }),
    "two/config": config({ "certificate-authority": "ca.pem" }),
    "two/ca.pem": authority,
  });
  const paths = ["absent", "one/config", "two/config"];
  const list = paths.map((name) => `${home.path}/${name}`).join(":");
  for (const how of [{ kubeconfig: list }, { env: { KUBECONFIG: list } }]) {
    const access = await loadAccess({ env: {}, ...how, context: "two" });
    assert.equal(access.namespace, "n");
    assert.equal(access.trust.authority, authority);
  }
  const access = await loadAccess({
    env: {},
    kubeconfig: list,
    namespace: "other",
  });
  assert.equal(access.context, "x");
  assert.equal(access.namespace, "other");
});

Deno.test("loadAccess() knows proxies of the cluster and of the environment", async () => {
  const env = { HTTPS_PROXY: "http://env:1" };
  const own = await load(config({ "proxy-url": "socks5://own:2" }), { env });
  assert.equal(own.proxy?.href, "socks5://own:2");
  assert.equal((await load(config({}), { env })).proxy?.host, "env:1");
  const exempt = { ...env, NO_PROXY: "h" };
  assert.equal((await load(config({}), { env: exempt })).proxy, undefined);
});

Deno.test("loadAccess() asks to act as somebody else", async () => {
  const access = await load(config({}, {
    as: "eve",
    "as-uid": "7",
    "as-groups": ["a", "b"],
    "as-user-extra": { "reason/why": ["x"] },
  }));
  assert.deepEqual(access.impersonation, [
    ["Impersonate-User", "eve"],
    ["Impersonate-Uid", "7"],
    ["Impersonate-Group", "a"],
    ["Impersonate-Group", "b"],
    ["Impersonate-Extra-reason%2Fwhy", "x"],
  ]);
});

Deno.test("loadAccess() knows passwords, and token files that change", async () => {
  const basic = await load(config({}, { username: "me", password: "päss" }));
  assert.deepEqual(await basic.credential.present(), {
    authorization: `Basic ${base64("me:päss")}`,
  });
  await using home = await folder({
    config: config({}, { token: "stale", tokenFile: "token" }),
    token: "one\n",
  });
  const { credential } = await loadAccess({
    env: {},
    kubeconfig: `${home.path}/config`,
  });
  const proof = await credential.present();
  assert.equal(proof.authorization, "Bearer one");
  assert.equal(await credential.present(), proof);
  await Deno.writeTextFile(`${home.path}/token`, "two");
  credential.renew(proof);
  const next = await credential.present();
  assert.equal(next.authorization, "Bearer two");
  await Deno.remove(`${home.path}/token`);
  credential.renew(next);
  await assert.rejects(credential.present(), {
    name: "CredentialError",
    message: /^Cannot read token file ".*token": No such file/,
  });
});

const broken = [
  { config: config({ server: "h:1" }), says: '"h:1" is no server address' },
  {
    config: config({ "certificate-authority": "absent" }),
    says: /^certificate-authority ".*\.kube\/absent" cannot be read/,
  },
  {
    config: config({ "certificate-authority-data": "%" }),
    says: "certificate-authority-data is not base64",
  },
  {
    config: config({ "certificate-authority-data": base64("no") }),
    says: "certificate-authority holds no certificate",
  },
  {
    config: config({}, { "client-certificate-data": base64(certificate.cert) }),
    says: "client-certificate and client-key are no pair",
  },
  { config: config({ "proxy-url": "ftp://h" }), says: /Cannot parse proxy/ },
  {
    config: config({}, { "auth-provider": { name: "gcp" } }),
    says:
      'user "u" wants auth-provider "gcp", which Kubernetes has given up for exec plugins',
  },
  {
    config: config({}, { exec: { command: "x", apiVersion: "v9" } }),
    says: /^user "u" wants a plugin of v9; known are client/,
  },
];

Deno.test("loadAccess() says what is broken", async () => {
  for (const { config, says } of broken) {
    await assert.rejects(load(config), (error: Error & { kind: string }) => {
      assert.equal(error.name, "KubeconfigError");
      assert.equal(error.kind, "broken");
      const [, state] = /^Cannot use kubeconfig "[^"]*": (.*)$/.exec(
        error.message,
      )!;
      if (typeof says === "string") assert.equal(state, says);
      else assert.match(state!, says);
      return true;
    });
  }
});

Deno.test("loadAccess() says which kubeconfig it did not find", async () => {
  await assert.rejects(loadAccess({ env: {}, home: "/nowhere" }), {
    name: "KubeconfigError",
    kind: "missing",
    message: 'Cannot find a kubeconfig: "/nowhere/.kube/config" does not exist',
  });
  const inPod = { KUBERNETES_SERVICE_HOST: "10.0.0.1" };
  await assert.rejects(
    loadAccess({ env: inPod, kubeconfig: "/nowhere/a:/nowhere/b" }),
    {
      kind: "missing",
      message:
        'Cannot find a kubeconfig: "/nowhere/a", "/nowhere/b" does not exist',
    },
  );
});

Deno.test("inClusterAccess() serves the service account of a pod", async () => {
  await using account = await folder({
    "ca.crt": authority,
    namespace: "ambassador\n",
    token: "t1",
  });
  const env = {
    KUBERNETES_SERVICE_HOST: "fd00::1",
    KUBERNETES_SERVICE_PORT: "6443",
  };
  const access = await inClusterAccess({ env, folder: account.path });
  assert.equal(access.server.href, "https://[fd00::1]:6443/");
  assert.equal(access.namespace, "ambassador");
  assert.equal(access.trust.authority, authority);
  assert.deepEqual(await access.credential.present(), {
    authorization: "Bearer t1",
  });
  await assert.rejects(inClusterAccess({ env, folder: "/nowhere" }), {
    name: "KubeconfigError",
    kind: "broken",
  });
  await assert.rejects(inClusterAccess({ env: {} }), { kind: "broken" });
});
