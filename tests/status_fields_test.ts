// deno-lint-ignore-file camelcase -- the names that scripts for Telepresence know
/** docs/status.md against what `tp status --output json` prints. */
import assert from "node:assert/strict";
import type { Status } from "../connector/api.ts";
import {
  documentedFields,
  fieldsOf,
  undocumented,
} from "./support/status_fields.ts";

/** All fields, those that may be absent, too: a new one in `Status` has to be here, and so in docs/status.md. */
type Whole<T> = T extends readonly (infer Item)[] ? [Whole<Item>]
  : T extends object ? { [Key in keyof T]-?: Whole<T[Key]> }
  : T;

const held: Whole<Status["user_daemon"]["intercepts"]> = [
  { name: "web", client: "a@b", namespace: "shop", disposition: "ACTIVE" },
];

const whole: Whole<Omit<Status, "traffic">> = {
  user_daemon: {
    ...{ running: true, version: "1", executable: "/tp", pid: 1 },
    ...{ status: "Connected", error: "", name: "", kubernetes_server: "" },
    ...{ kubernetes_context: "", kubeconfig: "", namespace: "" },
    ...{ manager_namespace: "", mapped_namespaces: [""] },
    ...{ last_error: { time: "", text: "" } },
    ...{ intercepts: held, replacements: held, wiretaps: held, ingests: held },
    proxy_vias: held,
  },
  root_daemon: {
    ...{ running: true, version: "1", device: "tp0", subnets: [""] },
    dns: {
      ...{ vif_address: "", nameservers: [""], cluster_domain: "" },
      ...{ edge: "/etc/resolv.conf", edge_reason: "", refused_zones: [""] },
      ...{ unserved_namespaces: [""], include_suffixes: [""] },
      ...{ exclude_suffixes: [""], excludes: [""], lookup_timeout: 0 },
      ...{ mappings: [{ name: "", aliasFor: "" }] },
      served_top_level_namespaces: [""],
    },
    ...{ also_proxy_subnets: [""], never_proxy_subnets: [""] },
    followed_names: [{ name: "", proxied: "also", addresses: [""] }],
    virtual_subnets: [
      { subnet: "", ranges: [""], reason: "", since: "", stranded_flows: 0 },
    ],
    virtual_ranges: [{ range: "", used: 0, size: 0 }],
    skipped_subnets: [{ subnet: "", reason: "" }],
  },
  traffic_manager: {
    ...{ name: "traffic-manager", pod: "", version: "", round_trip_ms: 0 },
    ...{ transport: "", direct: { endpoint: "", reason: "" } },
    session: {
      ...{ state: "connected", since: "", reason: "", streams: 0 },
      carriers: [{ round_trip_ms: 0, direct: true }],
      ...{ moved_carriers: 0, moved_streams: 0, former_sessions: 0 },
    },
  },
};

Deno.test("every field of tp status is in docs/status.md, and no other", async () => {
  assert.deepEqual(await undocumented(whole), []);
  const real = new Set(fieldsOf(whole));
  const others = [...(await documentedFields()).keys()]
    .filter((path) => !real.has(path) && !/^traffic(\.|$)/.test(path));
  assert.deepEqual(others, []);
});

Deno.test("docs/status.md tells each field's type", async () => {
  const documented = await documentedFields();
  const typeOf = (value: unknown) =>
    Array.isArray(value) ? "array" : typeof value;
  const walk = (value: object, path: string): void => {
    for (const [name, field] of Object.entries(value)) {
      const own = path === "" ? name : `${path}.${name}`;
      const known = documented.get(own);
      if (known !== undefined) assert.equal(known, typeOf(field), own);
      const inner = Array.isArray(field) ? field[0] : field;
      if (typeof inner === "object") {
        walk(inner, Array.isArray(field) ? `${own}[]` : own);
      }
    }
  };
  walk(whole, "");
});
