// deno-lint-ignore-file camelcase -- the names that scripts for Telepresence know
import {
  isServedNamespace,
  type NameRules,
  parseNameRules,
} from "../../dns/mod.ts";
import type { DnsSettings, DnsSettingsStatus } from "../api.ts";
import { settingWrong } from "../failure.ts";

/** How long the cluster may take to answer unless the user says otherwise: a lookup outlives a break of the tunnel. */
const defaultTimeoutMs = 10_000;
const maxTimeoutMs = 60_000;

/** What a user says of DNS, parsed. */
export interface DnsRules {
  readonly names: NameRules;
  readonly lookupTimeoutMs: number;
  /** As `tp status` tells it. */
  readonly status: DnsSettingsStatus;
}

/** @throws {ConnectError} `setting-wrong`. */
export function parseDnsSettings(settings: DnsSettings = {}): DnsRules {
  const { lookupTimeoutMs = defaultTimeoutMs } = settings;
  const isTime = Number.isInteger(lookupTimeoutMs) && lookupTimeoutMs > 0 &&
    lookupTimeoutMs <= maxTimeoutMs;
  if (!isTime) {
    throw settingWrong(
      `Cannot use dns.lookupTimeoutMs "${lookupTimeoutMs}": ` +
        `it is no number from 1 to ${maxTimeoutMs}`,
    );
  }
  try {
    const names = parseNameRules(settings);
    return { names, lookupTimeoutMs, status: statusOf(settings) };
  } catch (error) {
    if (error instanceof SyntaxError) throw settingWrong(error.message);
    throw error;
  }
}

/** Namespaces called like a top-level domain, which the user has not opened: `service.namespace` is not the cluster's there. */
export function unservedOf(
  namespaces: readonly string[],
  { names }: DnsRules,
): string[] {
  return namespaces.filter((one) => !isServedNamespace(one, names));
}

/** What is not set is absent, but for the time. */
function statusOf(settings: DnsSettings): DnsSettingsStatus {
  const {
    includeSuffixes: include_suffixes,
    excludeSuffixes: exclude_suffixes,
    excludes,
    mappings,
    servedTopLevelNamespaces: served_top_level_namespaces,
    lookupTimeoutMs = defaultTimeoutMs,
  } = settings;
  const lists = {
    ...{ include_suffixes, exclude_suffixes, excludes, mappings },
    served_top_level_namespaces,
  };
  return {
    ...Object.fromEntries(
      Object.entries(lists).filter(([, list]) => list && list.length > 0),
    ),
    lookup_timeout: lookupTimeoutMs * 1_000_000,
  };
}
