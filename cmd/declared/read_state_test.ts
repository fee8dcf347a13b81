import assert from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import schema from "../../docs/workstation-state.schema.json" with {
  type: "json",
};
import { envSyntaxes } from "../_env_syntax.ts";
import { CommandError } from "../_error.ts";
import { type Declared, readState } from "./read_state.ts";

const head = "apiVersion: tp.dev/v1\nkind: WorkstationState\n";

function read(text: string): Declared {
  return readState(text, { file: "state.yaml", directory: "/shop" });
}

/** What is told of a file: a line for each fault. */
function faults(text: string): string[] {
  try {
    read(text);
  } catch (error) {
    assert.ok(error instanceof CommandError, String(error));
    return error.remedy.split("\n").map((line) => line.trim());
  }
  return [];
}

Deno.test("readState() reads all that can be declared", () => {
  const declared = read(`${head}
connection:
  name: shop
  kubeconfig: kube/config:/etc/kube
  context: dev
  namespace: shop
  managerNamespace: ambassador
  image: registry/tp:1
attachments:
  - type: intercept
    name: web-anna
    namespace: shop
    workload: deployment/web
    service: web
    container: app
    ports: [8080, "8081:http", 5353:dns/udp]
    address: 127.0.0.2
    httpHeaders: {x-user: anna, x-team: "/a|b/"}
    httpPathPrefixes: [/api]
    httpMethods: [get]
    httpAny: true
    toPod: [5432, 53/UDP]
    mount: volumes:ro
    env: {file: web.env, syntax: sh, json: /tmp/web.json}
    command: [node, server.js]
`);
  assert.deepEqual(declared, {
    connection: {
      ...{ context: "dev", namespace: "shop", image: "registry/tp:1" },
      managerNamespace: "ambassador",
      kubeconfig: "/shop/kube/config:/etc/kube",
    },
    attachments: [{
      request: {
        ...{ name: "web-anna", mode: "intercept", namespace: "shop" },
        ...{ workload: "deployment/web", service: "web", container: "app" },
        ports: [
          { laptop: 8080 },
          { laptop: 8081, wanted: "http" },
          { laptop: 5353, wanted: "dns", protocol: "UDP" },
        ],
        address: "127.0.0.2",
        match: {
          combine: "any",
          headers: [
            { name: "x-user", kind: "exact", value: "anna" },
            { name: "x-team", kind: "regex", value: "a|b" },
          ],
          path: { kind: "prefix", value: "/api" },
          methods: ["GET"],
        },
        toPod: [{ port: 5432, protocol: "TCP" }, { port: 53, protocol: "UDP" }],
        mount: { mountPoint: "/shop/volumes", readOnly: true },
        ...{ localOnly: false, isHeld: false, isServedLater: true },
      },
      env: {
        ...{ envFile: "/shop/web.env", envSyntax: "sh" },
        envJson: "/tmp/web.json",
      },
      command: { argv: ["node", "server.js"], directory: "/shop" },
    }],
  });
});

Deno.test("readState() reads JSON, and Telepresence's files", () => {
  const declared = read(JSON.stringify(
    {
      apiVersion: "telepresence.io/v1alpha1",
      kind: "WorkstationState",
      attachments: [
        { type: "ingest", name: "web", container: "app" },
        { type: "replace", name: "queue" },
        { type: "intercept", name: "names", localOnly: true },
      ],
    },
    null,
    "\t",
  ));
  assert.equal(declared.connection, undefined);
  assert.deepEqual(
    declared.attachments.map(({ request }) => [
      ...[request.name, request.workload, request.mount?.readOnly],
    ]),
    [
      ["web-app", "web", true],
      ["queue", "queue", false],
      ["names", undefined, undefined],
    ],
  );
});

const table: [what: string, text: string, faults: (string | RegExp)[]][] = [
  ["nothing", "", ["file: is empty; make it an object"]],
  ["a list", "- a", ["file: is an array; make it an object"]],
  ["no kind", "apiVersion: tp.dev/v1", ["file: has no kind; add it"]],
  [
    "another kind and version",
    "apiVersion: tp.dev/v2\nkind: Pod",
    [
      'apiVersion: is "tp.dev/v2", not one of tp.dev/v1, telepresence.io/v1alpha1; did you mean "tp.dev/v1"?',
      'kind: is "Pod"; make it WorkstationState',
    ],
  ],
  [
    "a typo in the connection, and what is Telepresence's alone",
    `${head}connection: {namespac: x, alsoProxy: [], context: ""}`,
    [
      'connection.namespac: is no property; did you mean "namespace"?',
      "connection.alsoProxy: is Telepresence's, and tp has nothing like it; leave it out",
      "connection.context: is empty; give a value, or leave it out",
    ],
  ],
  [
    "faults of several attachments, in their order",
    `${head}attachments:
  - {type: intercpt, name: Web, prots: [1]}
  - {type: intercept, name: api, address: "a:80", ports: ["99999:http"]}
  - {type: intercept, name: api, ports: [80x, 0]}
  - {name: x}`,
    [
      'attachments[0].prots: is no property; did you mean "ports"?',
      /^attachments\[0\]\.type: is "intercpt", .* did you mean "intercept"\?$/,
      /^attachments\[0\]\.name: is "Web"; make it a name in Kubernetes/,
      /^attachments\[1\]\.ports\[0\]: Cannot read port "99999:http"/,
      /^attachments\[1\]\.address: Cannot read address "a:80"/,
      /^attachments\[2\]\.ports\[0\]: is "80x"; make it a LAPTOP-PORT/,
      /^attachments\[2\]\.ports\[1\]: is 0; make it a LAPTOP-PORT/,
      /^attachments\[2\]\.name: is "api", as attachments\[1\] is;/,
      "attachments[3]: has no type; add it",
    ],
  ],
  [
    "what a type has not",
    `${head}attachments:
  - {type: ingest, name: a, ports: [1]}
  - {type: replace, name: b, httpHeaders: [x=y]}
  - {type: wiretap, name: c, toPod: [1]}
  - {type: intercept, name: d, localOnly: true, ports: [1]}`,
    [
      "attachments[0].ports: an ingest has none; leave it out",
      "attachments[1].httpHeaders: a replace has none; leave it out",
      "attachments[2].toPod: a wiretap has none; leave it out",
      "attachments[3].ports: a localOnly attachment has none; leave it out",
    ],
  ],
  [
    "conditions that cannot be",
    `${head}attachments:
  - {type: intercept, name: a, httpHeaders: {"x user": b}}
  - {type: intercept, name: b, httpHeaders: [x-user]}
  - {type: intercept, name: c, httpPathRegexps: ["("]}
  - {type: intercept, name: d, httpPathPrefixes: [/a, /b]}
  - {type: intercept, name: e, httpPathPrefixes: [/a], httpPathEqualities: [/b]}
  - {type: intercept, name: f, httpHeaders: {x-user: "/(/"}}`,
    [
      'attachments[0].httpHeaders["x user"]: is "x user"; make it a name of a header',
      /^attachments\[1\]\.httpHeaders\[0\]: Cannot read header "x-user"/,
      /^attachments\[2\]\.httpPathRegexps\[0\]: Cannot read "\("/,
      /^attachments\[3\]\.httpPathPrefixes: has 2 values, of which tp takes 1/,
      /^attachments\[4\]: has 2 conditions of the path/,
      /^attachments\[5\]\.httpHeaders\["x-user"\]: Cannot read "\("/,
    ],
  ],
  [
    "an environment and a command that say nothing",
    `${head}attachments:
  - {type: ingest, name: a, env: {syntax: sh}, command: []}
  - {type: ingest, name: b, env: {syntax: bash, fil: x}, mount: ":ro"}`,
    [
      "attachments[0].env: has syntax, but no file; add it",
      "attachments[0].command: is empty; give a value, or leave it out",
      'attachments[1].env.fil: is no property; did you mean "file"?',
      /^attachments\[1\]\.env\.syntax: is "bash"; make it one of docker, /,
      "attachments[1].env: has syntax, but no file; add it",
      /^attachments\[1\]\.mount: Cannot mount at ":ro"/,
    ],
  ],
  [
    "several documents",
    `${head}---\n${head}`,
    [/^Put all attachments into one/],
  ],
  ["no YAML", "a: b: c", [/at line 1, column 4/]],
  ["a key twice", "kind: a\nkind: b", [/keys must be unique at line 2/]],
];

for (const [what, text, expected] of table) {
  Deno.test(`readState() refuses ${what}`, () => {
    const told = faults(text);
    assert.equal(told.length, expected.length, told.join("\n"));
    for (const [i, one] of expected.entries()) {
      if (typeof one === "string") assert.equal(told[i], one);
      else assert.match(told[i]!, one);
    }
  });
}

Deno.test("the published schema is a schema, and knows what the code knows", () => {
  const ajv = new Ajv2020();
  assert.equal(ajv.validateSchema(schema), true);
  const { properties } = schema.$defs.attachment;
  assert.deepEqual(properties.env.properties.syntax.enum, envSyntaxes);
  // What it forbids to some are properties that others have.
  for (const { then } of schema.$defs.attachment.allOf) {
    for (const name of Object.keys(then.properties)) {
      assert.ok(name in properties, name);
    }
  }
});

Deno.test("readState() reads what docs/intercepts.md shows", async () => {
  const path = new URL("../../docs/intercepts.md", import.meta.url);
  const [, text = ""] = /^```yaml\n(.*?)^```/ms.exec(
    await Deno.readTextFile(path),
  )!;
  const { attachments } = read(text);
  assert.equal(attachments.length, 1);
});
