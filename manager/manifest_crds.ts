/** The kinds of our own objects. What is said of them here the API server checks, whoever writes one. */
import { interceptModes, interceptPhases } from "./intercept.ts";
import {
  type Manifest,
  manifestMeta,
  type ManifestOptions,
} from "./manifest.ts";
import { agents, intercepts } from "./own_resources.ts";
import type { Resource } from "../k8s/mod.ts";

type Schema = Record<string, unknown>;

/** RFC 1123, as names of objects and of containers are. */
const nameSyntax = {
  subdomain:
    "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
  label: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
};
/** RFC 9110 section 5.6.2: names of headers and methods. */
const token = "^[-!#$%&'*+.^_`|~0-9A-Za-z]+$";
/** SHA-256 in hexadecimal digits. */
const thumbprint = "^[0-9a-f]{64}$";

/** The most of what an intercept or an agent can have. */
const maxPorts = 64;
const maxConditions = 16;
const maxSubnets = 512;

const subdomain = text(253, { pattern: nameSyntax.subdomain });
const label = text(63, { pattern: nameSyntax.label });
const conditionValue = { type: "string", maxLength: 4096 };

const podPort = {
  port: { type: "integer", minimum: 1, maximum: 65_535 },
  protocol: { type: "string", enum: ["TCP", "UDP"] },
};

const workload = {
  apiVersion: { type: "string", enum: ["apps/v1", "argoproj.io/v1alpha1"] },
  kind: {
    type: "string",
    enum: ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Rollout"],
  },
  name: subdomain,
};

const match = {
  ...object({
    combine: { type: "string", enum: ["all", "any"] },
    headers: list(
      object({
        name: text(256, { pattern: token }),
        kind: { type: "string", enum: ["exact", "wildcard", "regex"] },
        value: conditionValue,
      }),
      maxConditions,
    ),
    path: object({
      kind: { type: "string", enum: ["equal", "prefix", "regex"] },
      value: conditionValue,
    }),
    methods: list(text(64, { pattern: token }), maxConditions),
  }, { optional: ["headers", "path", "methods"] }),
  ...rules([
    "has(self.path) || (has(self.headers) && size(self.headers) > 0) || (has(self.methods) && size(self.methods) > 0)",
    "a match needs a condition on headers, path or method",
  ]),
};

const interceptSpec = {
  ...object({
    name: text(253, { pattern: nameSyntax.subdomain }),
    owner: text(1024),
    session: text(64, { pattern: thumbprint }),
    manager: label,
    client: text(256),
    workload: object(workload),
    mode: { type: "string", enum: interceptModes },
    container: label,
    ports: list(
      object({ ...podPort, service: label, servicePort: text(63) }, {
        optional: ["service", "servicePort"],
      }),
      maxPorts,
    ),
    match,
    subnets: list(text(43, { pattern: "^[0-9a-f.:]+/[0-9]+$" }), maxSubnets),
  }, { optional: ["match", "subnets"] }),
  ...rules(
    [
      "self.mode in ['ingest', 'proxy-via'] ? size(self.ports) == 0 : self.mode == 'replace' || size(self.ports) > 0",
      "an intercept has ports, one of mode ingest or proxy-via has none, one of mode replace may have none",
    ],
    [
      "(self.mode == 'proxy-via') == (has(self.subnets) && size(self.subnets) > 0)",
      "an intercept of mode proxy-via has subnets, no other has",
    ],
    ["self == oldSelf", "what an intercept wants cannot be changed"],
  ),
};

const interceptStatus = object({
  phase: { type: "string", enum: interceptPhases },
  reason: { type: "string", maxLength: 64 },
  message: conditionValue,
  details: list(conditionValue, 64),
  manager: { type: "string", maxLength: 253 },
  pods: object({
    ready: { type: "integer", minimum: 0 },
    wanted: { type: "integer", minimum: 0 },
  }),
}, { optional: ["reason", "message", "details", "manager", "pods"] });

const identity = { type: "integer", minimum: 0, maximum: 2 ** 32 - 1 };
const user = object({ uid: identity, gid: identity });

const agentSpec = object({
  manager: label,
  line: text(64),
  workload: object({ ...workload, uid: text(64) }),
  ports: list(
    object({
      ...podPort,
      container: label,
      names: list(text(63), maxPorts),
      redirect: { type: "boolean" },
    }, { optional: ["container"] }),
    maxPorts,
  ),
  replaced: list(label, maxPorts),
  users: {
    type: "object",
    maxProperties: maxPorts,
    additionalProperties: user,
  },
}, { optional: ["line"] });

const age = column("Age", ".metadata.creationTimestamp", "date");

export function crdManifests(options: ManifestOptions): Manifest[] {
  return [
    definition(options, {
      of: intercepts,
      shortNames: ["icept"],
      columns: [
        column("Workload", ".spec.workload.name"),
        column("Mode", ".spec.mode"),
        column("Owner", ".spec.owner"),
        column("Client", ".spec.client"),
        column("Phase", ".status.phase"),
        age,
      ],
      schema: object({ spec: interceptSpec, status: interceptStatus }, {
        optional: ["status"],
      }),
      subresources: { status: {} },
    }),
    definition(options, {
      of: agents,
      columns: [
        column("Kind", ".spec.workload.kind"),
        column("Workload", ".spec.workload.name"),
        age,
      ],
      schema: object({ spec: agentSpec }),
    }),
  ];
}

function definition(
  options: ManifestOptions,
  {
    of: { group, plural, kind, version },
    shortNames,
    columns,
    schema,
    ...more
  }: {
    of: Resource;
    shortNames?: string[];
    columns: unknown[];
    schema: Schema;
    subresources?: unknown;
  },
): Manifest {
  const singular = kind.toLowerCase();
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: manifestMeta(options, { name: `${plural}.${group}` }),
    spec: {
      group,
      scope: "Namespaced",
      names: {
        ...{ kind, plural, singular, listKind: `${kind}List` },
        ...shortNames === undefined ? {} : { shortNames },
      },
      versions: [{
        ...{ name: version, served: true, storage: true, ...more },
        additionalPrinterColumns: columns,
        schema: { openAPIV3Schema: schema },
      }],
    },
  };
}

function column(name: string, jsonPath: string, type = "string") {
  return { name, type, jsonPath };
}

/** All fields are required but those of `optional`. */
function object(
  properties: Record<string, unknown>,
  { optional = [] }: { optional?: string[] } = {},
): Schema {
  const required = Object.keys(properties).filter((name) =>
    !optional.includes(name)
  );
  return { type: "object", required, properties };
}

/** Text of at least one character. */
function text(maxLength: number, more: { pattern?: string } = {}): Schema {
  return { type: "string", minLength: 1, maxLength, ...more };
}

function list(items: Schema, maxItems: number): Schema {
  return { type: "array", maxItems, items };
}

/** In CEL, each with what is said when it does not hold. */
function rules(...all: [rule: string, message: string][]): Schema {
  return {
    "x-kubernetes-validations": all.map(([rule, message]) => ({
      rule,
      message,
    })),
  };
}
