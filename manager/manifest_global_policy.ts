/**
 * What is denied where an admin wants no intercept to have everybody's traffic. An API server can try a condition on
 * samples, no more: one that every client of an app happens to fulfil (`host`, `accept`) passes.
 */
import { clusterWideName } from "./api.ts";
import type { Policy } from "./manifest_policies.ts";

/**
 * Texts that have nothing in common but what all have: a regex that finds something in each of them is no condition.
 * Plain enough to stand in a literal of CEL.
 */
const samples = {
  header: ["anna.smith", "0123456789", "TEXT/HTML; Q=0.9"],
  path: ["/index.html", "/4711/0815", "/API/USERS"],
} as const;

const narrowing = "--http-header, --http-path-equal, --http-path-prefix or " +
  "--http-path-regex";

/** Denies intercepts that take, or copy, what is not of their owner alone. */
export function noGlobalPolicyName(namespace: string): string {
  return `${clusterWideName(namespace)}-no-global`;
}

/** Of those that the manager in this namespace serves. */
export function noGlobalPolicy(manager: string): Policy {
  const isOther = `object.spec.manager != '${manager}' || ` +
    "object.spec.mode in ['ingest', 'proxy-via']";
  const unless = (holds: string) => `${isOther} || ${holds}`;
  return {
    name: noGlobalPolicyName(manager),
    operations: ["CREATE"],
    // Whether each condition leaves something out. Of a method alone none is somebody's own.
    variables: [{
      name: "headers",
      expression: "has(object.spec.match.headers) ? " +
        `object.spec.match.headers.map(one, ${narrowHeader("one")}) : []`,
    }, {
      name: "paths",
      expression: "has(object.spec.match.path) ? " +
        `[${narrowPath("object.spec.match.path")}] : []`,
    }, {
      name: "conditions",
      expression: "variables.headers + variables.paths + " +
        "(has(object.spec.match.methods) ? [false] : [])",
    }],
    validations: [{
      expression: unless("object.spec.mode != 'replace'"),
      message: "Containers are not replaced in this cluster, since everybody " +
        `would miss them: use \`tp intercept\` with ${narrowing}`,
    }, {
      expression: unless("has(object.spec.match)"),
      message: "Intercepts and wiretaps of all traffic are not allowed in " +
        `this cluster: use ${narrowing}`,
    }, {
      expression: unless("object.spec.ports.all(one, one.protocol == 'TCP')"),
      message: "Datagrams are everybody's, and not intercepted in this " +
        `cluster: use a port of TCP with ${narrowing}`,
    }, {
      expression: unless(
        "!has(object.spec.match) || (object.spec.match.combine == 'all' ? " +
          "variables.conditions.exists(one, one) : " +
          "variables.conditions.all(one, one))",
      ),
      message: "Conditions that everybody's requests fulfil, as that on a " +
        "method alone, are not allowed in this cluster: name what only " +
        `yours have, by ${narrowing}`,
    }],
  };
}

function narrowHeader(header: string): string {
  return `${header}.kind == 'regex' ? ${isFussy(header, samples.header)} : ` +
    `${header}.kind != 'wildcard' || !${header}.value.matches('^[*]*$')`;
}

function narrowPath(path: string): string {
  return `${path}.kind == 'regex' ? ${isFussy(path, samples.path)} : ` +
    `${path}.kind != 'prefix' || !(${path}.value in ['', '/'])`;
}

/** Whether a regex finds nothing in one of the samples. A broken one is denied, as whatever cannot be evaluated. */
function isFussy(condition: string, of: readonly string[]): string {
  const texts = of.map((text) => `'${text}'`).join(", ");
  return `[${texts}].exists(text, !text.matches(${condition}.value))`;
}
