import type { Status } from "../connector/api.ts";

/** Says where `service.namespace` is not served; `undefined` when it is everywhere. */
export function unservedText({ root_daemon: root }: Status) {
  return unservedNamespacesText(root?.dns.unserved_namespaces ?? []);
}

/** As {@link unservedText}, of namespaces that are called like a top-level domain. */
export function unservedNamespacesText(namespaces: readonly string[]) {
  if (namespaces.length === 0) return undefined;
  return `not in ${
    namespaces.join(", ")
  } (top-level domains of the internet): ` +
    "there, use SERVICE.NAMESPACE.svc";
}
