import { Ip } from "../../net/mod.ts";
import { isComposed } from "./_resolv_conf_text.ts";

/** What `/etc/resolv.conf` says, as resolvers read it (resolv.conf(5)). */
export interface ResolvConf {
  /** In the order of preference: three of the host's at most. */
  readonly nameservers: readonly Ip[];
  /** Domains that short names are tried in. */
  readonly search: readonly string[];
  readonly options: readonly string[];
  /** Every line of the text, without its end. */
  readonly lines: readonly string[];
}

/** Resolvers ignore further nameservers (MAXNS of glibc). */
const maxNameservers = 3;

/**
 * Parses the text of `/etc/resolv.conf`. What it does not know, and nameservers that are no address, are passed over. Of
 * several `search` and `domain` lines the last one counts.
 */
export function parseResolvConf(text: string): ResolvConf {
  const lines = text.split("\n");
  // In a text of ours, the first is ours.
  const limit = isComposed(text) ? maxNameservers + 1 : maxNameservers;
  const nameservers: Ip[] = [];
  let search: string[] = [];
  const options: string[] = [];
  for (const line of lines) {
    const [keyword, ...values] = words(line);
    if (keyword === "nameserver") {
      const ip = Ip.tryParseZoned(values[0] ?? "");
      if (ip && nameservers.length < limit) nameservers.push(ip);
    } else if (keyword === "search") search = values;
    else if (keyword === "domain") search = values.slice(0, 1);
    else if (keyword === "options") options.push(...values);
  }
  return { nameservers, search, options, lines };
}

/** The words of a line up to a comment. A keyword counts only at the very start of the line. */
function words(line: string): string[] {
  const [text] = line.split(/[#;]/, 1);
  return text!.split(/\s+/).filter((word, i) => word !== "" || i === 0);
}
