import type { Status } from "../connector/api.ts";

/** Says where `service.namespace` is not served; `undefined` when it is everywhere. */
export function unservedText({ root_daemon: root }: Status) {
  const namespaces = root?.dns.unserved_namespaces ?? [];
  if (namespaces.length === 0) return undefined;
  return `not in ${
    namespaces.join(", ")
  } (top-level domains of the internet): ` +
    "there, use SERVICE.NAMESPACE.svc";
}
