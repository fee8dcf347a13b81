/** Starts the daemon: as root directly, otherwise through sudo or what the host has instead, saying why. */
import { selfCommand, version } from "../build.ts";
import { failureError } from "./_failure.ts";
import { refusedError, spawnAsRoot } from "./_root.ts";
import { readFailure } from "./_start_report.ts";

/** What a root process may see of this environment: nothing but where programs are. */
const rootPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Resolves once the daemon listens. The password, if one is needed, is asked on this terminal by what makes root.
 *
 * @throws {CommandError} when nothing makes this user root or it refused, or the daemon cannot start.
 */
export async function launchDaemon(say: (line: string) => void): Promise<void> {
  const uid = Deno.uid() ?? 0;
  const daemon = selfCommand(["daemon-foreground", "--uid", `${uid}`]);
  say(`Launching tp Daemon v${version}`);
  if (Deno.build.os === "darwin") {
    say("Warning: tp is written for macOS, but was never run there");
  }
  if (uid !== 0) {
    say(
      `Need root privileges to run "${daemon[0]} daemon-foreground": ` +
        "it opens the TUN device and sets routes and the host's resolver",
    );
  }
  const action = "start the daemon";
  const { child, tool } = spawnAsRoot(
    ["/usr/bin/env", "-i", `PATH=${rootPath}`, ...daemon, "--detach"],
    { action, stdout: "piped" },
  );
  const { code, stdout } = await child.output();
  if (code === 0) return;
  const failure = readFailure(new TextDecoder().decode(stdout));
  if (failure) throw failureError(failure);
  if (tool !== undefined) throw refusedError(action, tool);
  throw failureError({
    kind: "daemon-failed",
    cause: `Cannot ${action}: exit code ${code}`,
  });
}
