import { Fqdn } from "../name.ts";
import { isSpecialDomain, isTopLevelDomain } from "../top_level_domains.ts";

/** Why a zone must not come to the cluster. */
export type ZoneRefusal = "zone-malformed" | "zone-top-level";

/** What a name of a host or of a service is made of (RFC 1123 section 2.1; underscores are SRV's). */
const label = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/;

/**
 * Why `zone` may not be sent to the cluster by a host that splits; `undefined` when it may. The root would take every
 * name, a top-level domain those of everybody in it, which only the user can want (`topLevel`); `arpa` is the host's, but
 * for the subnets that are routed, as is what has a meaning on every host.
 */
export function refuseZone(
  zone: string,
  { topLevel = false } = {},
): ZoneRefusal | undefined {
  const labels = Fqdn.tryParse(zone)?.labels ?? [];
  const isName = labels.length > 0 && !zone.endsWith(".") &&
    labels.every((one) => label.test(one));
  if (!isName) return "zone-malformed";
  if (labels.at(-1) === "arpa") return "zone-top-level";
  const [first] = labels;
  if (labels.length > 1 || !isTopLevelDomain(first!)) return undefined;
  return topLevel && !isSpecialDomain(first!) ? undefined : "zone-top-level";
}
