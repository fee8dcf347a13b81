import type { Named } from "./pseudonyms.ts";

/** Fields of log lines that hold names, and what these are of. */
const kinds: Readonly<Record<string, string>> = {
  ...{ pod: "pod", namespace: "namespace", workload: "workload" },
  ...{ name: "name", intercept: "name", agent: "name" },
  ...{ owner: "user", holder: "pod" },
};
/** As Kubernetes wants names; in `shop/Deployment/web` the kind is none. */
const namePattern = /^[a-z0-9]/;

/** The names in the fields of a log's lines: of what was, and is known to nobody by now, too. */
export function namesInLog(text: string): Named[] {
  return text.split("\n").flatMap((line) =>
    Object.entries(fieldsOf(line)).flatMap(([field, value]) => {
      const kind = kinds[field];
      if (kind === undefined || typeof value !== "string") return [];
      return value.split("/").filter((part) => namePattern.test(part))
        .map((name) => ({ kind, name }));
    })
  );
}

/** A pid may stand before it. What is no log line has none. */
function fieldsOf(line: string): Record<string, unknown> {
  try {
    const value = JSON.parse(line.slice(line.indexOf("{")));
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
