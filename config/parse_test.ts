import assert from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import schema from "../docs/config.schema.json" with { type: "json" };
import { ConfigError } from "./error.ts";
import { settingKeys } from "./keys.ts";
import { parseConfig } from "./parse.ts";

const whole = `# all of it
cluster:
  defaultManagerNamespace: tools
dns: {includeSuffixes: [.internal], excludes: [printer]}
intercept:
  defaultPort: 8080
`;

Deno.test("parseConfig() reads settings by their names, each with its line", () => {
  const { values, placeOf } = parseConfig(whole, "config.yml");
  assert.deepEqual(values, {
    "cluster.defaultManagerNamespace": "tools",
    "dns.includeSuffixes": [".internal"],
    "dns.excludes": ["printer"],
    "intercept.defaultPort": 8080,
  });
  assert.equal(placeOf("cluster.defaultManagerNamespace"), "config.yml:3");
  assert.equal(placeOf("dns.excludes"), "config.yml:4");
  assert.equal(placeOf("intercept.defaultPort"), "config.yml:6");
});

Deno.test("parseConfig() takes an empty file for one that says nothing", () => {
  for (const text of ["", "# nothing\n", "---\n", "{}"]) {
    assert.deepEqual(parseConfig(text, "config.yml").values, {});
  }
});

/** What is told of a file: the message, and a line for each fault. */
function told(text: string): string[] {
  try {
    parseConfig(text, "config.yml");
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    const faults = error.faults.map(({ place, text }) => `${place}: ${text}`);
    return [error.message, ...faults];
  }
  return [];
}

const oneThing = 'Cannot use "config.yml": one thing in it must be put right';
const notYaml = 'Cannot use "config.yml": it is neither YAML nor JSON';

const broken: [what: string, text: string, told: (string | RegExp)[]][] = [
  [
    "an unknown key, with the nearest",
    "dns:\n  includeSufixes: [a]\n",
    [
      oneThing,
      'config.yml:2: dns.includeSufixes is no property; did you mean "includeSuffixes"?',
    ],
  ],
  [
    "an unknown group",
    "\nclutser: {}\n",
    [
      oneThing,
      'config.yml:2: clutser is no property; did you mean "cluster"?',
    ],
  ],
  [
    "a key that nothing is near to",
    "intercept: {colour: red}",
    [
      oneThing,
      "config.yml:1: intercept.colour is no property here; there are defaultPort",
    ],
  ],
  [
    "what only Telepresence has",
    "timeouts: {helm: 30s}",
    [
      oneThing,
      "config.yml:1: timeouts is Telepresence's, and tp has nothing like it; leave it out",
    ],
  ],
  [
    "a wrong type",
    "dns:\n  excludes: printer\n",
    [oneThing, "config.yml:2: dns.excludes is a string; make it an array"],
  ],
  [
    "a wrong type in a list",
    "dns:\n  excludes:\n    - printer\n    - 7\n",
    [oneThing, "config.yml:4: dns.excludes[1] is a number; make it a string"],
  ],
  [
    "a group without anything",
    "dns:\n",
    [oneThing, "config.yml:1: dns is empty; make it an object"],
  ],
  [
    "what is no duration",
    "dns: {lookupTimeout: 4}",
    [oneThing, "config.yml:1: dns.lookupTimeout is a number; make it a string"],
  ],
  [
    "a duration without unit",
    'dns: {lookupTimeout: "4"}',
    [
      oneThing,
      'config.yml:1: dns.lookupTimeout is "4"; make it a duration like 500ms, 4s or 1m30s',
    ],
  ],
  [
    "half a mapping",
    "dns:\n  mappings:\n    - name: db\n",
    [oneThing, "config.yml:3: dns.mappings[0] has no aliasFor; add it"],
  ],
  [
    "no port",
    "intercept: {defaultPort: 70000}",
    [
      oneThing,
      "config.yml:1: intercept.defaultPort is 70000; make it a port number from 1 to 65535",
    ],
  ],
  [
    "several things, in the order of the file",
    "routing: {vnat: all}\ndns: {exclude: []}\n",
    [
      'Cannot use "config.yml": 2 things in it must be put right',
      "config.yml:1: routing.vnat is a string; make it an array",
      'config.yml:2: dns.exclude is no property; did you mean "excludes"?',
    ],
  ],
  [
    "a list",
    "- a\n",
    [oneThing, "config.yml:1: the file is an array; make it an object"],
  ],
  ["what is no YAML", "dns: {\n  a: [\n", [notYaml, /^config.yml:\d: ./]],
  [
    "a key twice",
    "dns: {}\ndns: {}\n",
    [notYaml, "config.yml:2: Map keys must be unique"],
  ],
];

for (const [what, text, expected] of broken) {
  Deno.test(`parseConfig() refuses ${what}`, () => {
    const lines = told(text);
    assert.equal(lines.length, expected.length, lines.join("\n"));
    for (const [i, one] of expected.entries()) {
      if (typeof one === "string") assert.equal(lines[i], one);
      else assert.match(lines[i]!, one);
    }
  });
}

Deno.test("the published schema is a schema, and has the settings that there are", () => {
  assert.equal(new Ajv2020().validateSchema(schema), true);
  const groups: Record<string, { properties: object }> = schema.properties;
  const published = Object.entries(groups).flatMap(([group, { properties }]) =>
    Object.keys(properties).map((name) => `${group}.${name}`)
  );
  assert.deepEqual(published.toSorted(), Object.keys(settingKeys).toSorted());
});
