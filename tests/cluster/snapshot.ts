import type { Laptop } from "./laptop.ts";

/**
 * What of a laptop is compared: a title, and the shell command whose output is the content. Caches of byte code
 * (`/var/cache/tp`, `~/.cache/tp`) may stay: they are made anew whenever they are gone.
 */
const sections = {
  "links": "ip -o link show | sed 's/ qlen.*//; s/@[^:]*:/:/'",
  "addresses": "ip -o addr show",
  "routes": "ip -4 route show table all; ip -6 route show table all",
  "rules": "ip -4 rule show; ip -6 rule show",
  "nftables": "nft --stateless list ruleset",
  "settings":
    "sysctl -ar '^net[.]ipv[46][.](conf[.](all|default)|ip_|ping)' 2>/dev/null",
  "resolver": "stat -c '%A %U:%G %s %N' /etc/resolv.conf; cat /etc/resolv.conf",
  "mounts": "cut -d ' ' -f 4- /proc/self/mountinfo",
  "/run": list("/run"),
  "/etc": list("/etc"),
  "/var": list("/var/lib/tp"),
};

/** A part of a snapshot, which begins with the line "== TITLE". */
export type SnapshotSection = keyof typeof sections | "processes";

/** Everything below some directories: kind, mode, owner, size of files, path, target of links. */
function list(directories: string): string {
  return `find ${directories} \\( -type f -printf '%M %u:%g %s %p\\n' \\) -o ` +
    `-printf '%M %u:%g %p %l\\n' 2>/dev/null | sort -k 3`;
}

/** Text of everything that `tp` could leave behind on a laptop. Counters, times and pids are not in it. */
export async function takeSnapshot(
  laptop: Pick<Laptop, "run" | "pids">,
): Promise<string> {
  const processes = await describeProcesses(await laptop.pids());
  const script = Object.entries(sections).map(([title, command]) =>
    `echo '== ${title}'; { ${command}; } || true`
  ).join("\n");
  const { stdout } = await laptop.run(["sh", "-s"], { stdin: script });
  return `== processes\n${processes}${stdout}`;
}

/** The command lines of processes, sorted. One that ends meanwhile is left out. */
async function describeProcesses(pids: readonly number[]): Promise<string> {
  const lines: string[] = [];
  for (const pid of pids) {
    const text = await Deno.readTextFile(`/proc/${pid}/cmdline`)
      .catch(() => "");
    if (text !== "") lines.push(text.replaceAll("\0", " ").trim() + "\n");
  }
  return lines.sort().join("");
}
