import { join } from "node:path";
import { must } from "../cluster/mod.ts";

/** The user whose files a pod's volumes hold, and as whom its SFTP server runs. */
export const podUser = 4242;
/** What /etc/passwd is in the pod, and nowhere else. */
export const podPasswd = `root:x:0:0:root of the pod:/:/bin/sh
app:x:${podUser}:${podUser}::/:/bin/sh
`;

/**
 * What a pod's container for files is to a laptop, without a cluster: OpenSSH's sftp-server as the app's user, with an
 * /etc of its own, behind a Unix socket.
 */
export class VolumesPod implements AsyncDisposable {
  readonly #listener: Deno.ChildProcess;

  private constructor(
    /** Of everything of it. */
    readonly directory: string,
    listener: Deno.ChildProcess,
  ) {
    this.#listener = listener;
  }

  /** @param script a shell script that fills the volumes, as the app's user, in their directory */
  static async start(script: string): Promise<VolumesPod> {
    const directory = await Deno.makeTempDir({ prefix: "tp-pod-" });
    await Deno.chmod(directory, 0o755);
    await Deno.writeTextFile(join(directory, "passwd"), podPasswd);
    await Deno.mkdir(join(directory, "volumes"));
    await Deno.chown(join(directory, "volumes"), podUser, podUser);
    const serve = join(directory, "serve");
    await Deno.writeTextFile(
      serve,
      `#!/bin/sh
mount --bind ${directory}/passwd /etc/passwd
exec ${as(podUser)} /usr/lib/openssh/sftp-server
`,
      { mode: 0o755 },
    );
    const pod = new VolumesPod(directory, listen(directory));
    await pod.sh(script);
    return pod;
  }

  get socket(): string {
    return join(this.directory, "files.sock");
  }

  get volumes(): string {
    return join(this.directory, "volumes");
  }

  /** Runs a script as the app does, in the directory of all volumes. */
  async sh(script: string): Promise<string> {
    return await must(
      [...as(podUser).split(" "), "sh", "-euc", script],
      { cwd: this.volumes },
    );
  }

  /** Ends the servers that laptops are joined with, as the end of the pod does. */
  async endStreams(): Promise<void> {
    for (const pid of await children(this.#listener.pid)) {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch { /* it has ended */ }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.kill("SIGTERM");
    await this.#listener.status;
    await Deno.remove(this.directory, { recursive: true });
  }
}

function as(user: number): string {
  return `setpriv --clear-groups --reuid=${user} --regid=${user}`;
}

function listen(directory: string): Deno.ChildProcess {
  return new Deno.Command("socat", {
    args: [
      `UNIX-LISTEN:${directory}/files.sock,fork,mode=0666`,
      `EXEC:unshare --mount ${directory}/serve`,
    ],
    stdin: "null",
  }).spawn();
}

/** Pids of the processes that a process has started. */
async function children(pid: number): Promise<number[]> {
  const text = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`)
    .catch(() => "");
  return text.trim().split(" ").filter((word) => word !== "").map(Number);
}
