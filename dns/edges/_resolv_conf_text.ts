/** The text of `/etc/resolv.conf` while a connection lasts. */
import { Ip } from "../../net/mod.ts";

/** The first line of a text of ours; nobody else writes it. A shell script compares it, in single quotes. */
export const marker =
  "# Written by tp for as long as it is connected. tp quit brings the file of before back.";

/** Between our lines and the host's. */
const hostBegins = "# What this host had:";

/** What resolvers ask when the file names no nameserver (resolv.conf(5)). */
const impliedNameserver = "127.0.0.1";

/**
 * The host's text with `nameserver` in front. The host's own nameservers stay behind it, so that names resolve even when
 * nobody answers at ours; search list, other options and comments stay as they are. A third of the host is beyond what
 * resolvers read, and stays for us, who ask it when the others are silent.
 *
 * - `timeout:1` takes the place of a longer one: a nameserver that is silent costs a second, not five.
 * - `rotate` is left out: it would ask the host's nameservers for names of the cluster.
 */
export function composeResolvConf(original: string, nameserver: Ip): string {
  const lines = original.split("\n");
  if (lines.at(-1) === "") lines.pop();
  const kept = lines.flatMap(withoutHarmfulOptions);
  return [
    marker,
    `nameserver ${nameserver}`,
    "options timeout:1",
    hostBegins,
    ...kept.some(isNameserver) ? [] : [`nameserver ${impliedNameserver}`],
    ...kept,
    "",
  ].join("\n");
}

/** Whether {@link composeResolvConf} made this text. */
export function isComposed(text: string): boolean {
  return text.startsWith(`${marker}\n`);
}

/** The host's part of a composed text: what can be brought back when the original is lost. */
export function stripResolvConf(composed: string): string {
  const lines = composed.split("\n");
  return lines.slice(lines.indexOf(hostBegins) + 1).join("\n");
}

/** A keyword counts only at the very start of the line; a link-local nameserver names its zone. */
function isNameserver(line: string): boolean {
  const value = /^nameserver[ \t]+([^\s%]+)/.exec(line)?.[1];
  return value !== undefined && Ip.tryParse(value) !== undefined;
}

function withoutHarmfulOptions(line: string): string[] {
  if (!/^options\s/.test(line)) return [line];
  const words = line.split(/\s+/).filter((word) => word !== "");
  const others = words.filter((word) =>
    word !== "rotate" && !word.startsWith("timeout:")
  );
  if (others.length === words.length) return [line];
  return others.length > 1 ? [others.join(" ")] : [];
}
