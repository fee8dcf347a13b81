import assert from "node:assert/strict";
import { execCredential, type ExecPluginOptions } from "./_exec_plugin.ts";
import type { ExecEntry } from "./kubeconfig.ts";
import { loadAccess } from "./access.ts";

const apiVersion = "client.authentication.k8s.io/v1";
const env = { PATH: Deno.env.get("PATH")! };

/** A folder with a plugin `plugin` of that shell script; each run adds a line to `runs`. */
async function plugin(script: string) {
  const folder = await Deno.makeTempDir();
  const command = `${folder}/plugin`;
  const counting = `#!/bin/sh\necho run >>${folder}/runs\n${script}\n`;
  await Deno.writeTextFile(command, counting, { mode: 0o755 });
  return {
    command,
    folder,
    runs: async () =>
      (await Deno.readTextFile(`${folder}/runs`)).trim().split("\n").length,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

function credential(
  entry: Partial<ExecEntry>,
  options: Partial<ExecPluginOptions> = {},
) {
  return execCredential({ apiVersion, ...entry }, {
    env,
    clusterInfo: {},
    terminal: false,
    ...options,
  });
}

/** Shell that prints an ExecCredential with that status. */
function answer(status: string, version = apiVersion): string {
  return `cat <<EOF
{"apiVersion": "${version}", "kind": "ExecCredential", "status": ${status}}
EOF`;
}

Deno.test("execCredential() runs the plugin with arguments, environment and what it wants to know", async () => {
  await using it = await plugin(
    `printf %s "$KUBERNETES_EXEC_INFO" >"$(dirname "$0")/info"\n` +
      answer('{"token": "$1-$OWN-$ADDED-$HOME"}'),
  );
  const clusterInfo = { server: "https://h:1" };
  const { present } = credential({
    command: it.command,
    args: ["arg"],
    env: [{ name: "ADDED", value: "added" }],
    provideClusterInfo: true,
  }, { env: { ...env, OWN: "own" }, clusterInfo });
  assert.deepEqual(await present(), {
    authorization: "Bearer arg-own-added-",
  });
  const info = JSON.parse(await Deno.readTextFile(`${it.folder}/info`));
  assert.deepEqual(info, {
    apiVersion,
    kind: "ExecCredential",
    spec: { interactive: false, cluster: clusterInfo },
  });
});

Deno.test("execCredential() asks the plugin once until the credential expires or is refused", async () => {
  const expiry = "2026-01-01T00:10:00Z";
  await using it = await plugin(
    answer(`{"token": "t", "expirationTimestamp": "${expiry}"}`),
  );
  const start = Date.parse("2026-01-01T00:00:00Z");
  let now = start;
  const held = credential({ command: it.command }, {
    now: () => now,
    elapsed: () => now - start,
  });
  const [proof, same] = await Promise.all([held.present(), held.present()]);
  assert.equal(same, proof);
  now = Date.parse("2026-01-01T00:09:00Z");
  assert.equal(await held.present(), proof);
  assert.equal(await it.runs(), 1);
  now = Date.parse("2026-01-01T00:09:55Z");
  const next = await held.present();
  assert.equal(await it.runs(), 2);
  now = Date.parse("2026-01-01T00:00:00Z");
  assert.equal(held.renew(next), true);
  const third = await held.present();
  assert.equal(await it.runs(), 3);
  held.renew(next);
  assert.equal(await held.present(), third);
  assert.equal(await it.runs(), 3);
});

Deno.test("execCredential() keeps what has expired by a wrong clock for a while, and asks again when it is refused", async () => {
  await using it = await plugin(
    answer('{"token": "t", "expirationTimestamp": "2026-01-01T00:05:00Z"}'),
  );
  let elapsed = 1_000_000;
  const held = credential({ command: it.command }, {
    now: () => Date.parse("2026-01-01T00:10:00Z"),
    elapsed: () => elapsed,
  });
  const proof = await held.present();
  elapsed += 9_000;
  assert.equal(await held.present(), proof);
  assert.equal(await it.runs(), 1);
  elapsed += 1_000;
  const second = await held.present();
  assert.equal(await it.runs(), 2);
  held.renew(second);
  await held.present();
  assert.equal(await it.runs(), 3);
});

Deno.test("execCredential() gives certificates", async () => {
  await using it = await plugin(
    answer('{"clientCertificateData": "C", "clientKeyData": "K"}'),
  );
  const proof = await credential({ command: it.command }).present();
  assert.deepEqual(proof, { certificate: { cert: "C", key: "K" } });
});

const failures: { title: string; script: string; says: string }[] = [
  {
    title: "fails",
    script: "echo noise >&2; echo 'session expired, log in' >&2; exit 3",
    says: "exit code 3: session expired, log in",
  },
  {
    title: "answers no JSON",
    script: "echo hello",
    says: "its answer is not JSON",
  },
  {
    title: "answers something else",
    script: 'echo "{}"',
    says: "its answer is no ExecCredential",
  },
  {
    title: "answers in another version",
    script: answer('{"token": "t"}', "client.authentication.k8s.io/v1beta1"),
    says: "it answers in client.authentication.k8s.io/v1beta1, " +
      "the kubeconfig wants client.authentication.k8s.io/v1",
  },
  {
    title: "answers without a credential",
    script: answer("{}"),
    says: "its answer holds neither token nor certificate",
  },
  {
    title: "is ended by a signal",
    script: "kill -9 $$",
    says: "it was ended by SIGKILL",
  },
];

for (const { title, script, says } of failures) {
  Deno.test(`execCredential() says so when the plugin ${title}`, async () => {
    await using it = await plugin(script);
    await assert.rejects(credential({ command: it.command }).present(), {
      name: "CredentialError",
      message: `Cannot get credentials from "${it.command}": ${says}`,
    });
  });
}

Deno.test("execCredential() shows how to install a plugin that is not there", async () => {
  const installHint = "Get it from example.test\n";
  await assert.rejects(
    credential({ command: "no-such-plugin", installHint }).present(),
    {
      name: "CredentialError",
      message:
        'Cannot get credentials from "no-such-plugin": no such program. Get it from example.test',
    },
  );
});

Deno.test("execCredential() runs no plugin that must talk where nobody is", async () => {
  const entry = { command: "true", interactiveMode: "Always" } as const;
  await assert.rejects(credential(entry).present(), {
    message:
      'Cannot get credentials from "true": it wants a terminal to talk with the user',
  });
});

Deno.test("execCredential() does not make a caller wait who gives up", async () => {
  await using it = await plugin(
    `while [ ! -e "$(dirname "$0")/go" ]; do sleep 0.01; done\n` +
      answer('{"token": "t"}'),
  );
  const held = credential({ command: it.command });
  const abort = new AbortController();
  const given = held.present({ signal: abort.signal });
  const patient = held.present();
  abort.abort(new Error("enough"));
  await assert.rejects(given, { message: "enough" });
  await Deno.writeTextFile(`${it.folder}/go`, "");
  assert.deepEqual(await patient, { authorization: "Bearer t" });
});

Deno.test("loadAccess() finds a plugin beside the kubeconfig and tells it the cluster", async () => {
  await using it = await plugin(
    `printf %s "$KUBERNETES_EXEC_INFO" >"$(dirname "$0")/info"\n` +
      answer('{"token": "t"}', "client.authentication.k8s.io/v1beta1"),
  );
  const kubeconfig = `${it.folder}/config`;
  const config = {
    "current-context": "x",
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    clusters: [{
      name: "c",
      cluster: {
        server: "https://h:1",
        "tls-server-name": "n",
        extensions: [{
          name: "client.authentication.k8s.io/exec",
          extension: { audience: "a" },
        }],
      },
    }],
    users: [{
      name: "u",
      user: {
        exec: {
          apiVersion: "client.authentication.k8s.io/v1beta1",
          command: "./plugin",
          provideClusterInfo: true,
        },
      },
    }],
  };
  await Deno.writeTextFile(kubeconfig, JSON.stringify(config));
  const access = await loadAccess({ env, kubeconfig, terminal: false });
  const proof = await access.credential.present();
  assert.equal(proof.authorization, "Bearer t");
  const info = JSON.parse(await Deno.readTextFile(`${it.folder}/info`));
  assert.deepEqual(info.spec.cluster, {
    server: "https://h:1",
    "tls-server-name": "n",
    config: { audience: "a" },
  });
});

Deno.test("execCredential() ends a plugin that does not answer, with all that it started", async () => {
  await using it = await plugin("trap '' TERM; sleep 600");
  const { present } = credential({ command: it.command }, { quietMs: 100 });
  await assert.rejects(present(), {
    name: "CredentialError",
    message:
      `Cannot get credentials from "${it.command}": no answer within 0.1 s`,
  });
});
