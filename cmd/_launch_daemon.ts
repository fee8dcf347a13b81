/** Starts the daemon: as root directly, otherwise through sudo, saying why. */
import { selfCommand, version } from "../build.ts";
import { CommandError } from "./_error.ts";

/** What a root process may see of this environment: nothing but where programs are. */
const rootPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Resolves once the daemon listens. The password, if one is needed, is asked by sudo on this terminal.
 *
 * @throws {CommandError} when sudo is missing or refused, or the daemon cannot start.
 */
export async function launchDaemon(say: (line: string) => void): Promise<void> {
  const uid = String(Deno.uid() ?? 0);
  const daemon = selfCommand(["daemon-foreground", "--uid", uid, "--detach"]);
  say(`Launching tp Daemon v${version}`);
  if (uid === "0") return await launch(asRoot(daemon));
  say(
    `Need root privileges to run "${daemon[0]} daemon-foreground": ` +
      "it opens the TUN device and sets routes and the host's resolver",
  );
  await launch(["sudo", "--", ...asRoot(daemon)], { sudo: true });
}

function asRoot(command: string[]): string[] {
  return ["/usr/bin/env", "-i", `PATH=${rootPath}`, ...command];
}

async function launch(
  [program, ...args]: string[],
  { sudo = false } = {},
): Promise<void> {
  const child = spawn(program!, args);
  const reader = child.stderr.pipeThrough(new TextDecoderStream());
  let told = "";
  for await (const text of reader) {
    told += text;
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  }
  const { code } = await child.status;
  if (code === 0) return;
  // sudo exits with 1 when it refuses; the daemon says its own sentence and exits with 3.
  if (sudo && code === 1) {
    throw new CommandError(
      "Cannot start the daemon: sudo refused",
      "Ask for sudo rights on this machine, or run `tp connect` as root",
    );
  }
  throw new CommandError(
    `Cannot start the daemon: ${lastLine(told) || `exit code ${code}`}`,
    "The daemon's log tells more: /var/lib/tp/daemon.log (root)",
  );
}

function spawn(program: string, args: string[]): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      args,
      stdin: "inherit",
      stdout: "null",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new CommandError(
      `Cannot start the daemon: there is no ${program}`,
      "Install sudo, or run `tp connect` as root",
      { cause: error },
    );
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
