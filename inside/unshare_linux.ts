/** Namespaces by unshare(1) of util-linux. */

/** Bits of the effective capabilities that namespaces and devices need without a user namespace. */
const needed = 1n << 12n /* CAP_NET_ADMIN */ | 1n << 21n /* CAP_SYS_ADMIN */;

/**
 * A network and a mount namespace; of a user namespace too, where this process may not make them without. In it the user
 * is as before, and has the capabilities that the network is set with.
 */
export function unshareFlags(): string[] {
  const own = ["--net", "--mount"];
  return isPrivileged()
    ? own
    : ["--user", "--map-current-user", "--keep-caps", ...own];
}

/** The command that runs another without what the namespace gave to this process, and ends with it. */
export function unprivileged(command: readonly string[]): string[] {
  const none = isRoot() ? [] : ["--inh-caps", "-all", "--ambient-caps", "-all"];
  return ["setpriv", "--pdeathsig", "KILL", ...none, "--", ...command];
}

/** Why there can be no namespaces here, in words; `undefined` when there can. */
export async function whyNoNamespaces(): Promise<string | undefined> {
  if (Deno.build.os === "darwin") return "macOS has no namespaces";
  for (const program of ["unshare", "setpriv"]) {
    const why = await tryRun([program, "--version"]);
    if (why !== undefined) return why;
  }
  return await tryRun(["unshare", ...unshareFlags(), "--", "true"]);
}

async function tryRun(
  [program, ...args]: string[],
): Promise<string | undefined> {
  try {
    const { success, stderr } = await new Deno.Command(program!, {
      args,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (success) return undefined;
    const [line] = new TextDecoder().decode(stderr).trim().split("\n");
    return line || `${program} failed`;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return `there is no ${program} (util-linux)`;
  }
}

function isRoot(): boolean {
  return Deno.uid() === 0;
}

function isPrivileged(): boolean {
  const status = Deno.readTextFileSync("/proc/self/status");
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  return (BigInt(`0x${effective}`) & needed) === needed;
}
