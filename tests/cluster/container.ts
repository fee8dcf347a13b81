import { join } from "node:path";
import { type CommandResult, must, run } from "./command.ts";
import { containerConfig } from "./container_config.ts";
import type { Laptop, LaptopCommandOptions } from "./laptop.ts";
import { accounts, removeHostsTp } from "./laptop_files.ts";
import { unpacked, unpackPackages } from "./packages.ts";
import { takeSnapshot } from "./snapshot.ts";
import { waitFor } from "./wait.ts";

export interface ContainerOptions {
  /** With `--device /dev/net/tun --cap-add NET_ADMIN`. */
  readonly withTun: boolean;
}

/**
 * A container on a laptop, as Docker makes one: runc, Docker's capabilities, devices and what matters here of its system
 * calls, `/proc/sys` read-only, `/etc/resolv.conf` and `/etc/hosts` mounted as files. Its root filesystem is as the host's,
 * its network the laptop's (`--network host`).
 */
export class Container implements AsyncDisposable {
  readonly #laptop: Laptop;
  readonly #directory: string;
  readonly #runc: string[];
  readonly #name: string;
  readonly #child: Deno.ChildProcess;

  private constructor(
    parts: {
      laptop: Laptop;
      directory: string;
      runc: string[];
      name: string;
      child: Deno.ChildProcess;
    },
  ) {
    this.#laptop = parts.laptop;
    this.#directory = parts.directory;
    this.#runc = parts.runc;
    this.#name = parts.name;
    this.#child = parts.child;
  }

  static async open(
    laptop: Laptop,
    { withTun }: ContainerOptions,
  ): Promise<Container> {
    const directory = await Deno.makeTempDir({ prefix: "tp-container-" });
    const name = directory.slice(directory.lastIndexOf("/") + 1);
    const debian = await unpackPackages(unpacked.node);
    const runc = [
      join(debian, "usr/sbin/runc"),
      ...["--root", join(directory, "state")],
    ];
    const at = (path: string) => join(directory, path);
    await must(["mkdir", at("rootfs"), at("scratch"), at("bundle")]);
    const files: Record<string, string> = {};
    const { home } = accounts.root;
    for (
      const path of ["/etc/resolv.conf", "/etc/hosts", `${home}/.kube/config`]
    ) {
      const file = at(path.replaceAll("/", "-").slice(1));
      await Deno.writeTextFile(file, await must(laptop.command(["cat", path])));
      files[path] = file;
    }
    await Deno.writeTextFile(
      at("bundle/config.json"),
      JSON.stringify(containerConfig({
        ...{ rootfs: at("rootfs"), hostname: "container", files, withTun },
        netns: `/run/netns/${laptop.netns}`,
        cgroup: `/${name}`,
      })),
    );
    // The mounts end with the container.
    const script = `mount -t tmpfs tmpfs ${at("scratch")}
mkdir ${at("scratch/upper")} ${at("scratch/work")}
mount -t overlay overlay -o "lowerdir=/,upperdir=${
      at("scratch/upper")
    },workdir=${at("scratch/work")}" ${at("rootfs")}
${removeHostsTp(at("rootfs"))}
exec "$0" "$@"`;
    const [program = "", ...args] = [
      ...["unshare", "--mount", "--propagation", "private", "sh", "-euc"],
      ...[script, ...runc, "run", "--bundle", at("bundle"), name],
    ];
    const child = new Deno.Command(program, {
      args,
      ...{ stdin: "null", stdout: "null", stderr: "inherit" },
    }).spawn();
    const container = new Container({ laptop, directory, runc, name, child });
    try {
      await waitFor("container", async () => {
        const { stdout, stderr } = await run([...runc, "state", name]);
        return /"status": "running"/.test(stdout) || stderr;
      }, { timeoutMs: 10_000, everyMs: 50 });
      return container;
    } catch (error) {
      await container[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs a command in it. */
  run(
    argv: readonly string[],
    { user = "root", env, cwd, ...options }: LaptopCommandOptions = {},
  ): Promise<CommandResult> {
    return run(this.#command(argv, { user, env, cwd }), options);
  }

  /** Starts a command in it whose end is the caller's concern. */
  spawn(
    argv: readonly string[],
    { user = "root", env, cwd, ...options }: Parameters<Laptop["spawn"]>[1] =
      {},
  ): Deno.ChildProcess {
    const [program = "", ...args] = this.#command(argv, { user, env, cwd });
    return new Deno.Command(program, { args, ...options }).spawn();
  }

  /** As of {@link Laptop.snapshot}, with the container's own files and mounts. */
  async snapshot(): Promise<string> {
    return await takeSnapshot({
      run: (argv, options) => this.run(argv, options),
      pids: () => this.#laptop.pids(),
    });
  }

  /** Ends all that runs in it and removes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await run([...this.#runc, "delete", "--force", this.#name]);
    await this.#child.status;
    await Deno.remove(this.#directory, { recursive: true });
  }

  #command(
    argv: readonly string[],
    { user = "root", env = {}, cwd = "/tmp" }: {
      user?: LaptopCommandOptions["user"];
      env?: Record<string, string> | undefined;
      cwd?: string | undefined;
    },
  ): string[] {
    const { uid, home } = accounts[user];
    const variables = { HOME: home, LANG: "C.UTF-8", ...env };
    return [
      ...[...this.#runc, "exec", "--user", `${uid}:${uid}`, "--cwd", cwd],
      ...Object.entries(variables).flatMap((
        [key, value],
      ) => ["--env", `${key}=${value}`]),
      ...[this.#name, ...argv],
    ];
  }
}
