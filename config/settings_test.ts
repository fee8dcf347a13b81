import assert from "node:assert/strict";
import { parseDurationMs } from "./duration.ts";
import { ConfigError } from "./error.ts";
import { extensionLayers } from "./extension.ts";
import { settingKeys } from "./keys.ts";
import { defaultLayer, environmentLayer, flagLayer } from "./layer.ts";
import { parseConfig } from "./parse.ts";
import { mergeSettings } from "./settings.ts";
import { viewText, viewValue } from "./view.ts";

const file = parseConfig(
  "cluster: {defaultManagerNamespace: of-file}\n" +
    "images: {managerImage: of-file}\n" +
    "dns: {excludes: [a, b]}\nrouting:\n  vnat: [all]\n",
  "config.yml",
);

function ofCluster(...extensions: { name: string; extension: unknown }[]) {
  return extensionLayers({ path: "kube", cluster: "dev", extensions });
}

const own = {
  name: "tp.dev",
  extension: { images: { managerImage: "of-cluster" }, dns: { excludes: [] } },
};

Deno.test("mergeSettings() takes flag, environment, kubeconfig, file and default in this order, whatever the order of the layers", async () => {
  const layers = [
    flagLayer({ managerNamespace: "of-flag", context: "dev" }),
    environmentLayer({ TP_IMAGE: "of-environment", HOME: "/" }),
    ...await ofCluster(own),
    file,
    defaultLayer,
  ];
  for (const some of [layers, layers.toReversed()]) {
    const settings = mergeSettings(some);
    assert.deepEqual(settings["cluster.defaultManagerNamespace"], {
      ...{ value: "of-flag", kind: "flag", place: "--manager-namespace" },
    });
    assert.deepEqual(settings["images.managerImage"], {
      ...{ value: "of-environment", kind: "environment", place: "$TP_IMAGE" },
    });
    // A list that is empty says so.
    assert.deepEqual(settings["dns.excludes"], {
      ...{ value: [], kind: "kubeconfig" },
      place: 'kube (cluster "dev", extension "tp.dev")',
    });
    assert.deepEqual(settings["routing.vnat"], {
      ...{ value: ["all"], kind: "file", place: "config.yml:5" },
    });
    assert.deepEqual(settings["dns.lookupTimeout"], {
      ...{ value: "10s", kind: "default", place: "default" },
    });
    assert.equal("intercept.defaultPort" in settings, false);
  }
});

Deno.test("environmentLayer() takes an empty variable for none", () => {
  assert.deepEqual(environmentLayer({ TP_IMAGE: "" }).values, {});
});

Deno.test("extensionLayers() has tp.dev before telepresence.io", async () => {
  const peer = {
    name: "telepresence.io",
    extension: {
      images: { managerImage: "of-peer" },
      dns: { excludes: ["x"], lookupTimeout: "4s" },
    },
  };
  const settings = mergeSettings([
    ...await ofCluster(peer, own),
    defaultLayer,
  ]);
  assert.equal(settings["images.managerImage"].value, "of-cluster");
  assert.equal(settings["dns.lookupTimeout"].value, "4s");
});

Deno.test("extensionLayers() takes of telepresence.io what tp has, in both of its forms", async () => {
  const [layer] = await ofCluster({
    name: "telepresence.io",
    extension: {
      manager: { namespace: "tools" },
      dns: { "include-suffixes": [".internal"], "local-ip": "10.0.0.1" },
      "allow-conflicting-subnets": ["10.0.0.0/8"],
      "also-proxy": ["10.1.0.0/16"],
      "never-proxy": ["10.2.0.0/16"],
      cluster: { mappedNamespaces: ["shop"] },
      routing: { vnat: ["all"], recursionBlockDuration: "1s" },
    },
  });
  assert.deepEqual(layer!.values, {
    "cluster.defaultManagerNamespace": "tools",
    "dns.includeSuffixes": [".internal"],
    "cluster.mappedNamespaces": ["shop"],
    "routing.allowConflictingSubnets": ["10.0.0.0/8"],
    "routing.alsoProxySubnets": ["10.1.0.0/16"],
    "routing.neverProxySubnets": ["10.2.0.0/16"],
    "routing.vnat": ["all"],
  });
  const place = 'kube (cluster "dev", extension "telepresence.io")';
  assert.deepEqual(layer!.unused, [
    `dns.local-ip of ${place}`,
    `routing.recursionBlockDuration of ${place}`,
  ]);
});

const wrong: [what: string, name: string, extension: unknown, text: string][] =
  [
    [
      ...["an unknown key of tp.dev", "tp.dev", { dns: { exclude: [] } }],
      'dns.exclude is no property; did you mean "excludes"?',
    ] as [string, string, unknown, string],
    [
      ...["a wrong type of tp.dev", "tp.dev", "yes"],
      "it is a string; make it an object",
    ] as [string, string, unknown, string],
    [
      "a wrong type of telepresence.io",
      "telepresence.io",
      { "allow-conflicting-subnets": "10.0.0.0/8" },
      "routing.allowConflictingSubnets is a string; make it an array",
    ],
  ];

for (const [what, name, extension, text] of wrong) {
  Deno.test(`extensionLayers() refuses ${what}`, async () => {
    await assert.rejects(ofCluster({ name, extension }), (error) => {
      assert.ok(error instanceof ConfigError);
      const place = `kube (cluster "dev", extension "${name}")`;
      assert.deepEqual(error.faults, [{ place, text }]);
      return true;
    });
  });
}

Deno.test("viewText() is a configuration file that says the same, and who said it", async () => {
  const mapping = { name: "db", aliasFor: "web # not a comment" };
  const settings = mergeSettings([
    flagLayer({ vnat: ["10.0.0.0/8"] }),
    ...await ofCluster(own),
    parseConfig(
      `{dns: {mappings: [${JSON.stringify(mapping)}]}}`,
      "config.yml",
    ),
    defaultLayer,
  ]);
  const text = viewText(settings);
  assert.match(text, /^ {2}vnat: \["10\.0\.0\.0\/8"\] # --vnat$/m);
  assert.match(text, /^ {2}lookupTimeout: "10s" # default$/m);
  const { values } = parseConfig(text, "shown");
  for (const key of Object.keys(settingKeys) as (keyof typeof values)[]) {
    assert.deepEqual(values[key], settings[key]?.value, key);
  }
  assert.deepEqual(viewValue(settings)["dns"]!["mappings"], {
    ...{ value: [mapping], origin: "file", place: "config.yml:1" },
  });
});

const durations: [text: string, ms: number][] = [
  ["500ms", 500],
  ["4s", 4000],
  ["1.5s", 1500],
  ["1m30s", 90_000],
];

for (const [text, ms] of durations) {
  Deno.test(`parseDurationMs() reads ${text}`, () => {
    assert.equal(parseDurationMs(text), ms);
  });
}
