/** The credentials and ways to the API server that kubeconfigs really have, each on the real cluster. */
import assert from "node:assert/strict";
import {
  accounts,
  type Cluster,
  Laptop,
  makeUser,
  must,
  openCluster,
} from "../cluster/mod.ts";
import { failToConnect } from "../support/failing.ts";
import {
  type Access,
  parseAccess,
  writeAccess,
  writeLaptopFile,
} from "../support/kubeconfig_file.ts";
import { startScript } from "../support/laptop_script.ts";
import { Tp } from "../support/laptop_tp.ts";
import { type ManagerPlace, managerPlace } from "../support/manager_place.ts";

const page = "verylargejavaservice.default:8080";
const user = "tp-test";
const home = accounts[user].home;

/** What the cases need: somebody who may connect, and where. */
interface Scene {
  cluster: Cluster;
  laptop: Laptop;
  place: ManagerPlace;
  /** By token. */
  access: Access;
  token: string;
}

/** Connects as the ordinary user, uses a service by name, and quits. */
async function connectAndUse(
  { laptop, place }: Scene,
  { args = [], env = {} }: {
    args?: string[];
    env?: Record<string, string>;
  },
): Promise<void> {
  const tp = new Tp(laptop, { user });
  await using _ = await tp.connected([...place.flag, ...args], { env });
  const answer = await laptop.run(["curl", "-sS", "-m", "10", page], { user });
  assert.match(answer.stdout, /EdgyCorp/, answer.stderr);
}

async function connectWith(scene: Scene, access: Access): Promise<void> {
  const path = await writeAccess(scene.laptop, access, { user });
  await connectAndUse(scene, { args: ["--kubeconfig", path] });
}

/** Writes a credential plugin that notes as whom it runs; the user that has it. */
async function writePlugin(
  { laptop, token }: Scene,
  status: Record<string, string> = {},
): Promise<Record<string, unknown>> {
  const apiVersion = "client.authentication.k8s.io/v1";
  const answer = JSON.stringify({
    ...{ apiVersion, kind: "ExecCredential" },
    status: { token, ...status },
  });
  const script = `#!/bin/sh\nid -un >>"$HOME/runs"\necho '${answer}'\n`;
  const command = `${home}/plugin`;
  await writeLaptopFile(laptop, command, script, { user, mode: "700" });
  await writeLaptopFile(laptop, `${home}/runs`, "", { user });
  return { exec: { apiVersion, command, interactiveMode: "IfAvailable" } };
}

/** Who ran the plugin, a name for each run. */
async function pluginRuns({ laptop }: Scene): Promise<string[]> {
  const text = await must(laptop.command(["cat", `${home}/runs`], { user }));
  return text.trim().split("\n");
}

const cases: Record<string, (scene: Scene) => Promise<void>> = {
  "a client certificate": async (scene) => {
    const { cluster, place } = scene;
    const name = `person-${crypto.randomUUID().slice(0, 8)}`;
    await place.grant(`--user=${name}`);
    const person = await makeUser(cluster, { name });
    await connectWith(scene, await parseAccess(cluster, person));
  },
  "a client certificate in files beside the kubeconfig": async (scene) => {
    const { cluster, laptop, place } = scene;
    const name = `person-${crypto.randomUUID().slice(0, 8)}`;
    await place.grant(`--user=${name}`);
    const access = await parseAccess(
      cluster,
      await makeUser(cluster, { name }),
    );
    const data = access.user as Record<string, string>;
    for (const [path, field] of [["cert", "certificate"], ["key", "key"]]) {
      const pem = atob(data[`client-${field}-data`]!);
      await writeLaptopFile(laptop, `${home}/${path}.pem`, pem, { user });
    }
    await connectWith(scene, {
      ...access,
      user: { "client-certificate": "cert.pem", "client-key": "key.pem" },
    });
  },
  "a token": (scene) => connectWith(scene, scene.access),
  "a token file": async (scene) => {
    const { laptop, access, token } = scene;
    const path = `${home}/token`;
    await writeLaptopFile(laptop, path, `${token}\n`, { user });
    await connectWith(scene, { ...access, user: { tokenFile: path } });
  },
  "a plugin, which runs once and as the user": async (scene) => {
    const plugin = await writePlugin(scene);
    await connectWith(scene, { ...scene.access, user: plugin });
    assert.deepEqual(await pluginRuns(scene), [user]);
  },
  "a plugin whose credentials seem to have expired, which runs again some time later":
    async (scene) => {
      const { laptop, place } = scene;
      const expirationTimestamp = new Date().toISOString();
      const plugin = await writePlugin(scene, { expirationTimestamp });
      const access = { ...scene.access, user: plugin };
      const path = await writeAccess(laptop, access, { user });
      const tp = new Tp(laptop, { user });
      const start = performance.now();
      await using _ = await tp.connected(
        [...place.flag, "--kubeconfig", path],
      );
      const seconds = (performance.now() - start) / 1000;
      const runs = await pluginRuns(scene);
      assert.ok(runs.length <= 1 + seconds / 10, `${runs.length} runs`);
      assert.deepEqual(new Set(runs), new Set([user]));
    },
  "a server whose certificate is not checked": async (scene) => {
    const { access } = scene;
    const { server } = access.cluster;
    const cluster = { server, "insecure-skip-tls-verify": true };
    await connectWith(scene, { ...access, cluster });
  },
  "a server under another name": async (scene) => {
    const { cluster, laptop, access } = scene;
    const { host, port } = cluster.apiServerAddress;
    const name = "cluster.example.test";
    const line = `echo '${host} ${name}' >>/etc/hosts`;
    await must(laptop.command(["sh", "-c", line]));
    const server = `https://${name}:${port}`;
    const direct = { ...access, cluster: { ...access.cluster, server } };
    const path = await writeAccess(laptop, direct, { user });
    const flags = ["--kubeconfig", path];
    const told = await failToConnect(laptop, flags, { user });
    assert.match(told.cause, /its certificate is for another name$/);

    const certified = { "tls-server-name": "kubernetes.default.svc" };
    await connectWith(scene, {
      ...access,
      cluster: { ...direct.cluster, ...certified },
    });
  },
  "several files in KUBECONFIG": async (scene) => {
    const { laptop, access } = scene;
    const parts = {
      first: {
        "current-context": "there",
        contexts: [{ name: "there", context: { cluster: "c", user: "u" } }],
      },
      second: { clusters: [{ name: "c", cluster: access.cluster }] },
      third: { users: [{ name: "u", user: access.user }] },
    };
    for (const [name, part] of Object.entries(parts)) {
      const text = JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        ...part,
      });
      await writeLaptopFile(laptop, `${home}/${name}`, text, { user });
    }
    const paths = [...Object.keys(parts), "none"].map((name) =>
      `${home}/${name}`
    );
    await connectAndUse(scene, { env: { KUBECONFIG: paths.join(":") } });
  },
  "a proxy, without which there is no way": async (scene) => {
    const { cluster, laptop, place, access } = scene;
    const { host, port } = cluster.apiServerAddress;
    await using _ = await closeWayTo(laptop, host);
    const direct = await writeAccess(laptop, access, { user });
    const flags = [...place.flag, "--kubeconfig", direct];
    const told = await failToConnect(laptop, flags, { user });
    assert.match(told.cause, /connection refused$/);

    await using proxy = startScript(laptop, "connect_proxy.ts");
    const url = `http://127.0.0.1:${await proxy.nextLine()}`;
    await connectWith(scene, {
      ...access,
      cluster: { ...access.cluster, "proxy-url": url },
    });
    await connectAndUse(scene, {
      args: ["--kubeconfig", direct],
      env: { HTTPS_PROXY: url },
    });
    const asked = new Set(await proxy.end());
    assert.deepEqual([...asked], [`${host}:${port}`]);
  },
};

Deno.test({
  name: "a user connects and uses a service by name with",
  // The bed's authority signs client certificates, and its laptops' firewalls are ours.
  ignore: Deno.env.has("TP_TEST_KUBECONFIG"),
  fn: async (t) => {
    const cluster = await openCluster();
    await using laptop = await Laptop.open(cluster);
    await using place = await managerPlace(cluster);
    await new Tp(laptop).ok(["install", ...place.flag]);
    const { namespace } = place;
    const account = { serviceAccount: "laptop", namespace };
    await kubectl(
      cluster,
      "create",
      "serviceaccount",
      "laptop",
      "-n",
      namespace,
    );
    await place.grant(`--serviceaccount=${namespace}:laptop`);
    const access = await parseAccess(cluster, await makeUser(cluster, account));
    const { token } = access.user as { token: string };
    const scene = { cluster, laptop, place, access, token };
    for (const [name, use] of Object.entries(cases)) {
      await t.step(name, () => use(scene));
    }
  },
});

async function kubectl(cluster: Cluster, ...args: string[]): Promise<void> {
  const { code, stderr } = await cluster.kubectl(args);
  assert.equal(code, 0, stderr);
}

/** Lets nobody on the laptop but root reach an address, within the scope. */
async function closeWayTo(
  laptop: Laptop,
  address: string,
): Promise<AsyncDisposable> {
  const rules = `table inet test {
  chain out {
    type filter hook output priority filter;
    meta l4proto tcp ip daddr ${address} meta skuid != 0 reject with tcp reset
  }
}`;
  await must(laptop.command(["nft", "-f", "-"]), { stdin: rules });
  const remove = ["nft", "delete", "table", "inet", "test"];
  return {
    [Symbol.asyncDispose]: async () => {
      await must(laptop.command(remove));
    },
  };
}
