/**
 * Sets the daemon up as a service of systemd, and takes it away again. Needs root.
 *
 * 1. What runs as root must be root's own: program and directories that nobody else may change.
 * 2. The units are written, systemd reads them and listens. When that fails, there is no service.
 */
import {
  isGroupName,
  serviceUnit,
  serviceUnits,
  socketUnit,
  unitDirectory,
} from "./service_units.ts";

/** Why the service could not be set up or taken away, as one sentence, and what to do about it. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  readonly remedy: string;

  constructor(message: string, remedy: string) {
    super(message);
    this.remedy = remedy;
  }
}

const names = [socketUnit, serviceUnit];
const reload = ["daemon-reload"];
const disable = ["disable", "--now", ...names];

/**
 * @param options.program The command line of this program, without arguments of its own.
 * @throws {ServiceError} and leaves no service.
 */
export async function installService(
  { group, program }: { group: string; program: readonly string[] },
): Promise<void> {
  const action = "install the daemon as a service";
  await requireSystemd(action);
  await requireGroup(action, group);
  for (const path of program.filter((word) => word.startsWith("/"))) {
    await requireRootsOwn(action, path);
  }
  try {
    for (
      const [name, text] of Object.entries(serviceUnits({ group, program }))
    ) {
      const path = `${unitDirectory}/${name}`;
      await Deno.writeTextFile(path, text);
      await Deno.chmod(path, 0o644);
    }
    await systemctl(action, reload);
    await systemctl(action, ["enable", socketUnit]);
    // A socket of another group is made anew.
    await systemctl(action, ["restart", socketUnit]);
  } catch (error) {
    await systemctl(action, disable).catch(() => {});
    await removeUnits();
    await systemctl(action, reload).catch(() => {});
    throw error;
  }
}

/**
 * Ends a daemon that runs as the service, too, with all that it did.
 *
 * @returns whether there was one
 * @throws {ServiceError}
 */
export async function uninstallService(): Promise<boolean> {
  const action = "uninstall the daemon's service";
  requireRoot(action);
  if (!await isServiceInstalled()) return false;
  await systemctl(action, disable);
  await removeUnits();
  await systemctl(action, reload);
  return true;
}

async function isServiceInstalled(): Promise<boolean> {
  const found = names.map((name) =>
    Deno.stat(`${unitDirectory}/${name}`).then(() => true, () => false)
  );
  return (await Promise.all(found)).includes(true);
}

async function removeUnits(): Promise<void> {
  for (const name of names) {
    await Deno.remove(`${unitDirectory}/${name}`).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}

function requireRoot(action: string): void {
  if (Deno.uid() === 0) return;
  throw new ServiceError(`Cannot ${action}: it needs root`, "Run it as root");
}

async function requireSystemd(action: string): Promise<void> {
  requireRoot(action);
  // sd_booted(3)
  if (await Deno.stat("/run/systemd/system").catch(() => undefined)) return;
  throw new ServiceError(
    `Cannot ${action}: this host does not run systemd`,
    "Without the service `tp connect` starts the daemon through sudo",
  );
}

async function requireGroup(action: string, group: string): Promise<void> {
  const remedy =
    "`groupadd --system GROUP` makes one, `usermod --append --groups GROUP USER` adds to it; give `--group GROUP`";
  const isName = isGroupName(group);
  const isThere = isName && (await run("getent", ["group", group])).success;
  if (isThere) return;
  throw new ServiceError(
    `Cannot ${action}: there is no group "${group}"`,
    remedy,
  );
}

/** What somebody else may change would make that one root. */
async function requireRootsOwn(action: string, path: string): Promise<void> {
  const real = await Deno.realPath(path);
  for (let at = real;; at = at.slice(0, at.lastIndexOf("/")) || "/") {
    const { uid, mode } = await Deno.stat(at);
    const isWritable = (mode! & 0o022) !== 0;
    // In a sticky directory what is root's stays where it is.
    const isSticky = at !== real && (mode! & 0o1000) !== 0;
    if (uid !== 0 || (isWritable && !isSticky)) {
      throw new ServiceError(
        `Cannot ${action}: others than root may change "${at}"`,
        "Install the program first, `sudo install tp /usr/local/bin/tp`, and run that one",
      );
    }
    if (at === "/") return;
  }
}

async function systemctl(action: string, args: string[]): Promise<void> {
  const { success, stderr } = await run("systemctl", args);
  if (success) return;
  const said = stderr.trim().split("\n")[0] || "it failed";
  throw new ServiceError(
    `Cannot ${action}: systemctl ${args.join(" ")}: ${said}`,
    `\`systemctl status ${socketUnit}\` tells more`,
  );
}

async function run(
  program: string,
  args: string[],
): Promise<{ success: boolean; stderr: string }> {
  try {
    const { success, stderr } = await new Deno.Command(program, {
      ...{ args, stdin: "null", stdout: "null", stderr: "piped" },
    }).output();
    return { success, stderr: new TextDecoder().decode(stderr) };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { success: false, stderr: `there is no ${program}` };
  }
}
