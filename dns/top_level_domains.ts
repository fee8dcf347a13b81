import delegated from "tlds" with { type: "json" };

/** Not delegated, yet spoken for on a laptop: mDNS (RFC 6762), RFC 6761, RFC 7686, reverse names. */
const special = ["local", "localhost", "invalid", "onion", "arpa"];

const topLevelDomains = new Set([...delegated, ...special]);

/** True when names that end in `label` (lower case) have a meaning of their own on every host. */
export function isSpecialDomain(label: string): boolean {
  return special.includes(label);
}

/**
 * True when names that end in `label` (lower case) belong to somebody outside the cluster. A namespace called like that
 * must not take them: with a namespace `dev`, `web.dev` is still the one on the internet.
 */
export function isTopLevelDomain(label: string): boolean {
  return topLevelDomains.has(label);
}
