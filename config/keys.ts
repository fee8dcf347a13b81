import { defaultImage } from "../build.ts";

/** Every setting, as `docs/config.schema.json` describes it. One that may be absent has no default. */
export interface SettingValues {
  readonly "cluster.defaultManagerNamespace": string;
  readonly "cluster.mappedNamespaces": readonly string[];
  readonly "connection.name"?: string;
  readonly "dns.includeSuffixes": readonly string[];
  readonly "dns.excludeSuffixes": readonly string[];
  readonly "dns.excludes": readonly string[];
  readonly "dns.mappings": readonly { name: string; aliasFor: string }[];
  readonly "dns.lookupTimeout": string;
  readonly "dns.servedTopLevelNamespaces": readonly string[];
  readonly "images.managerImage": string;
  readonly "intercept.defaultPort"?: number;
  readonly "routing.allowConflictingSubnets": readonly string[];
  readonly "routing.alsoProxySubnets": readonly string[];
  readonly "routing.neverProxySubnets": readonly string[];
  readonly "routing.proxyVia": readonly string[];
  readonly "routing.vnat": readonly string[];
}
export type SettingKey = keyof SettingValues;

interface KeyFacts<K extends SettingKey> {
  readonly default: SettingValues[K];
  /** The flag that says the same, as a command's code names it. */
  readonly flag?: string;
  /** The environment variable that says the same. */
  readonly variable?: string;
  /** What the extension `telepresence.io` of a kubeconfig may call it, too. */
  readonly peer?: string;
}

/** What there is to know of each setting, in the order in which they are told. */
export const settingKeys: { readonly [K in SettingKey]-?: KeyFacts<K> } = {
  "cluster.defaultManagerNamespace": {
    ...{ default: "ambassador", flag: "managerNamespace" },
    peer: "manager.namespace",
  },
  "cluster.mappedNamespaces": { default: [], flag: "mappedNamespaces" },
  "connection.name": { default: undefined, flag: "name" },
  "dns.includeSuffixes": { default: [], peer: "dns.include-suffixes" },
  "dns.excludeSuffixes": { default: [], peer: "dns.exclude-suffixes" },
  "dns.excludes": { default: [] },
  "dns.mappings": { default: [] },
  "dns.lookupTimeout": { default: "10s", peer: "dns.lookup-timeout" },
  "dns.servedTopLevelNamespaces": { default: [] },
  "images.managerImage": {
    ...{ default: defaultImage, flag: "image", variable: "TP_IMAGE" },
  },
  "intercept.defaultPort": { default: undefined },
  "routing.allowConflictingSubnets": {
    ...{ default: [], flag: "allowConflictingSubnets" },
    peer: "allow-conflicting-subnets",
  },
  "routing.alsoProxySubnets": {
    ...{ default: [], flag: "alsoProxy", peer: "also-proxy" },
  },
  "routing.neverProxySubnets": {
    ...{ default: [], flag: "neverProxy", peer: "never-proxy" },
  },
  "routing.proxyVia": { default: [], flag: "proxyVia" },
  "routing.vnat": { default: [], flag: "vnat" },
};

/** Each setting with what there is to know of it. */
export function settingEntries(): [SettingKey, KeyFacts<SettingKey>][] {
  return Object.entries(settingKeys) as [SettingKey, KeyFacts<SettingKey>][];
}
