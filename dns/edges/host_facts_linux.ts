/** What of a Linux host says who answers its programs. */
import type { Ip } from "../../net/mod.ts";
import { type HostFacts, stubAddresses } from "./choose_edge.ts";
import { parseResolvConf } from "./resolv_conf.ts";

/** Where systemd-resolved keeps the host's own nameservers, and ours while it knows us. */
export const resolvedFile = "/run/systemd/resolve/resolv.conf";
/** Where the C library asks it; the kernel lists it while somebody listens. */
const resolvedSocket = "/run/systemd/resolve/io.systemd.Resolve";
const resolvectlPaths = ["/usr/bin/resolvectl", "/bin/resolvectl"];

/** As `readHostFacts`. */
export async function readLinuxFacts(
  own: readonly string[],
): Promise<HostFacts> {
  const file = await firstThere(own);
  return {
    os: "linux",
    leadsTo: file && await Deno.realPath(file).catch(() => undefined),
    text: file ? await read(file) : "",
    nss: nssSources(await read("/etc/nsswitch.conf")),
    resolvedRuns: listens(await read("/proc/net/unix"), resolvedSocket),
    resolvectl: await firstThere(resolvectlPaths),
    wsl: /microsoft/i.test(await read("/proc/sys/kernel/osrelease")),
  };
}

/**
 * The host's own nameservers of a text of `/etc/resolv.conf`. In place of systemd-resolved's stub, which would ask ours for
 * our zones, stand those that it asks.
 *
 * @param isOurs Tells the address that an edge has given to the host.
 * @param readBehind Gives the text that names those behind the stub.
 */
export async function ownNameservers(
  text: string,
  isOurs: (ip: Ip) => boolean,
  readBehind: () => Promise<string> = () => read(resolvedFile),
): Promise<Ip[]> {
  const { nameservers } = parseResolvConf(text);
  const isStub = (ip: Ip) => stubAddresses.includes(String(ip));
  const behind = nameservers.some(isStub)
    ? parseResolvConf(await readBehind()).nameservers
    : [];
  return [...behind, ...nameservers].filter((ip) => !isOurs(ip) && !isStub(ip));
}

/** The sources of `hosts` (nsswitch.conf(5)), without what is done after each. */
export function nssSources(text: string): string[] {
  const line = /^[ \t]*hosts:([^#\n]*)/m.exec(text)?.[1] ?? "";
  return line.replace(/\[[^\]]*\]/g, " ").split(/\s+/).filter((word) => word);
}

/** Whether a socket of that path takes connections, by the text of `/proc/net/unix`: flag __SO_ACCEPTCON (1 << 16). */
export function listens(text: string, path: string): boolean {
  return text.split("\n").some((line) => {
    const words = line.split(/\s+/);
    return words[7] === path && words[3] === "00010000";
  });
}

async function firstThere(
  paths: readonly string[],
): Promise<string | undefined> {
  for (const path of paths) {
    if (await Deno.lstat(path).then(() => true, () => false)) return path;
  }
  return undefined;
}

/** Empty for what cannot be read. */
async function read(path: string): Promise<string> {
  return await Deno.readTextFile(path).catch(() => "");
}
