import assert from "node:assert/strict";
import {
  defaultLayer,
  flagLayer,
  type Layer,
  mergeSettings,
} from "../config/mod.ts";
import { parseDnsSettings } from "../connector/mod.ts";
import { parse as parseYaml } from "../yaml.ts";
import { CommandError } from "./_error.ts";
import { findSettings, readSettings, settingsRequest } from "./_settings.ts";

function requestOf(layer: Partial<Layer>) {
  const values = layer.values ?? {};
  return settingsRequest(mergeSettings([
    { kind: "file", placeOf: () => "config.yml", values },
    defaultLayer,
  ]));
}

Deno.test("settingsRequest() leaves to the connector what nobody has set", () => {
  const { managerNamespace, image, ...others } = requestOf({});
  assert.equal(managerNamespace, "ambassador");
  assert.match(image, /\/tp:/);
  assert.deepEqual(others, {});
});

Deno.test("settingsRequest() asks for all that is set", () => {
  const mappings = [{ name: "db", aliasFor: "web" }];
  const request = requestOf({
    values: {
      "cluster.defaultManagerNamespace": "tools",
      "images.managerImage": "registry/tp:1",
      "dns.includeSuffixes": [".internal"],
      "dns.excludeSuffixes": [".com"],
      "dns.excludes": ["printer"],
      "dns.mappings": mappings,
      "dns.lookupTimeout": "1m",
      "dns.servedTopLevelNamespaces": ["io"],
      "routing.allowConflictingSubnets": ["10.0.0.0/8"],
      "routing.vnat": ["all"],
      "routing.proxyVia": ["pods=web"],
      "connection.name": "dev-shop",
      "cluster.mappedNamespaces": ["shop"],
      "routing.alsoProxySubnets": ["db.example"],
      "routing.neverProxySubnets": ["10.96.0.7"],
    },
  });
  assert.deepEqual(request, {
    ...{ managerNamespace: "tools", image: "registry/tp:1" },
    dns: {
      ...{ includeSuffixes: [".internal"], excludeSuffixes: [".com"] },
      ...{ excludes: ["printer"], mappings, lookupTimeoutMs: 60_000 },
      servedTopLevelNamespaces: ["io"],
    },
    ...{ allowConflictingSubnets: ["10.0.0.0/8"], vnat: ["all"] },
    ...{ proxyVia: ["pods=web"], name: "dev-shop" },
    ...{ alsoProxy: ["db.example"], neverProxy: ["10.96.0.7"] },
    mappedNamespaces: ["shop"],
  });
});

Deno.test("the default that is shown of a lookup's time is the connector's", () => {
  const layer = { ...defaultLayer, kind: "file" } as const;
  const { dns } = settingsRequest(mergeSettings([layer]));
  const { lookupTimeoutMs } = parseDnsSettings();
  assert.equal(dns?.lookupTimeoutMs, lookupTimeoutMs);
});

/** A configuration file and a kubeconfig of these contents. */
class Files implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async make(
    { config, extension }: { config: string; extension?: unknown },
  ): Promise<Files> {
    const files = new Files(await Deno.makeTempDir());
    await Deno.writeTextFile(files.config, config);
    const extensions = [{ name: "tp.dev", extension }];
    const kubeconfig = {
      "current-context": "dev",
      contexts: [
        { name: "dev", context: { cluster: "dev" } },
        { name: "prod", context: { cluster: "prod" } },
      ],
      clusters: [
        { name: "dev", cluster: { server: "https://dev", extensions } },
        { name: "prod", cluster: { server: "https://prod" } },
      ],
    };
    await Deno.writeTextFile(
      files.env.KUBECONFIG,
      JSON.stringify(kubeconfig),
    );
    return files;
  }

  get config(): string {
    return `${this.#folder}/config.yml`;
  }

  get env() {
    return { TP_CONFIG: this.config, KUBECONFIG: `${this.#folder}/kube` };
  }

  async [Symbol.asyncDispose]() {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** The YAML of docs/configuration.md. */
async function documented(): Promise<string[]> {
  const path = new URL("../docs/configuration.md", import.meta.url);
  const found = (await Deno.readTextFile(path)).matchAll(
    /^```yaml\n(.*?)^```/gms,
  );
  return [...found].map(([, text = ""]) => text);
}

Deno.test("readSettings() takes what docs/configuration.md shows of a file and of a kubeconfig", async () => {
  const [config = "", kubeconfig = "", ...others] = await documented();
  assert.deepEqual(others, []);
  const [cluster] = parseYaml(kubeconfig).clusters;
  const [{ name, extension }] = cluster.cluster.extensions;
  assert.equal(name, "tp.dev");
  await using files = await Files.make({ config, extension });
  const settings = await readSettings({}, files.env);
  assert.equal(settings["intercept.defaultPort"]?.value, 8080);
  assert.equal(settings["connection.name"]?.value, "staging");
});

Deno.test("readSettings() takes the extension of the cluster that the flags mean", async () => {
  await using files = await Files.make({
    config: "cluster: {defaultManagerNamespace: of-file}",
    extension: { cluster: { defaultManagerNamespace: "of-cluster" } },
  });
  const { env } = files;
  const namespaceOf = async (flags: Record<string, string>) => {
    const settings = await readSettings(flags, env);
    return settings["cluster.defaultManagerNamespace"].value;
  };
  assert.equal(await namespaceOf({}), "of-cluster");
  assert.equal(await namespaceOf({ context: "prod" }), "of-file");
  assert.equal(await namespaceOf({ kubeconfig: "/absent" }), "of-file");
  assert.equal(await namespaceOf({ managerNamespace: "flag" }), "flag");
  const { noKubeconfig } = await findSettings({ context: "absent" }, env);
  assert.match(noKubeconfig!, /^Cannot use context "absent"/);
});

Deno.test("readSettings() needs the file that TP_CONFIG names, and none elsewhere", async () => {
  await using files = await Files.make({ config: "" });
  const { config, env } = files;
  await Deno.remove(config);
  await assert.rejects(
    readSettings({}, env),
    /config\.yml": there is no such file \(TP_CONFIG names it\)/,
  );
  const elsewhere = { HOME: config.replace(/[^/]*$/, "") };
  const settings = await readSettings({}, elsewhere);
  assert.equal(settings["cluster.defaultManagerNamespace"].kind, "default");
  const folder = `${elsewhere.HOME}/.config/tp`;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/config.yml`, "dns: {excludes: [a]}");
  const { kind } = (await readSettings({}, elsewhere))["dns.excludes"];
  assert.equal(kind, "file");
});

const senseless: [config: string, message: RegExp, remedy: string][] = [
  [
    "dns:\n  excludes: [a..b]\n",
    /^Cannot use dns\.excludes "a\.\.b": it is no name$/,
    "Correct dns.excludes: FILE:2",
  ],
  [
    "dns: {lookupTimeout: 2m}",
    /^Cannot use dns\.lookupTimeoutMs "120000"/,
    "Correct dns.lookupTimeout: FILE:1",
  ],
  [
    "routing:\n  vnat: [pods]\n  allowConflictingSubnets: [10.0.0.0/99]\n",
    /^Cannot use "10\.0\.0\.0\/99": it is no subnet/,
    "Correct routing.allowConflictingSubnets: FILE:3",
  ],
  [
    "routing:\n  neverProxySubnets: [10.96.0.7]\n  alsoProxySubnets: [0.0.0.0/0]\n",
    /^Cannot use "0\.0\.0\.0\/0": it is a default route$/,
    "Correct routing.alsoProxySubnets: FILE:3",
  ],
  [
    "routing:\n  proxyVia: [pods=web, pods]\n",
    /^Cannot use "pods": it is not SUBNET=WORKLOAD$/,
    "Correct routing.proxyVia: FILE:2",
  ],
  [
    "connection:\n  name: com\n",
    /^Cannot use the name "com" for a connection: it is a top-level domain/,
    "Correct connection.name: FILE:2",
  ],
  [
    "dsn: {}",
    /^Cannot use ".*": one thing in it must be put right$/,
    'FILE:1: dsn is no property; did you mean "dns"?',
  ],
];

for (const [config, message, remedy] of senseless) {
  Deno.test(`readSettings() tells where "${config.trim()}" is wrong`, async () => {
    await using files = await Files.make({ config });
    await assert.rejects(readSettings({}, files.env), (error) => {
      assert.ok(error instanceof CommandError, String(error));
      assert.match(error.message, message);
      assert.equal(error.remedy, remedy.replace("FILE", files.config));
      return true;
    });
  });
}

Deno.test("flags that say nothing leave all to others", () => {
  assert.deepEqual(flagLayer({ managerNamespace: undefined }).values, {});
});
