/**
 * A host for the daemon: namespaces of its own for network and mounts, with an `/etc`, `/run` and `/var/lib` of their own, a
 * link with a nameserver, and nothing else. What happens here cannot reach the machine.
 */
import assert from "node:assert/strict";

const nameserver = "192.0.2.53";
/** An unprivileged user that owns nothing. */
export const userId = 54321;

const setUp = `set -e
mount --make-rprivate /
mount -t tmpfs none /run
mount -t tmpfs none /var/lib
mkdir /run/etc
cp -a /etc/passwd /etc/group /etc/ld.so.cache /run/etc
mount -t tmpfs -o size=1m none /etc
mv /run/etc/* /etc
rmdir /run/etc
printf 'search example\\nnameserver ${nameserver}\\noptions edns0\\n' >/etc/resolv.conf
chmod 640 /etc/resolv.conf
chown 0:7 /etc/resolv.conf
printf 'hosts: files dns\\n' >/etc/nsswitch.conf
ip link set lo up
ip link add office type veth peer name switch
ip address add ${nameserver}/24 dev office
for link in switch office; do
  echo 1 >/proc/sys/net/ipv6/conf/$link/addr_gen_mode
  ip link set $link up
done
ip address add 2001:db8::53/64 dev office nodad
# The kernel adds the routes of a link that has come up a little later.
until [ "$(ip -6 route show table local type multicast | wc -l)" = 2 ]; do sleep 0.01; done
echo ready
exec sleep infinity
`;

/** A process inside that speaks in lines. */
export class Child implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #lines: AsyncGenerator<string>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array> | undefined;

  constructor(command: string[], { stdin = false } = {}) {
    const [program, ...args] = command;
    this.#process = new Deno.Command(program!, {
      args,
      stdin: stdin ? "piped" : "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#writer = stdin ? this.#process.stdin.getWriter() : undefined;
    this.#lines = linesOf(this.#process.stdout);
  }

  get pid(): number {
    return this.#process.pid;
  }

  get ended(): Promise<Deno.CommandStatus> {
    return this.#process.status;
  }

  /** The next line, `undefined` at the end. */
  async line(): Promise<string | undefined> {
    return (await this.#lines.next()).value;
  }

  /** Sends a line and returns the one that answers it. */
  async ask(line: string): Promise<string | undefined> {
    await this.#writer!.write(new TextEncoder().encode(`${line}\n`));
    return await this.line();
  }

  signal(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#process.status;
    await this.#writer?.close().catch(() => {});
    await this.#lines.return(undefined);
  }
}

export class Namespace implements AsyncDisposable {
  readonly #holder: Child;

  private constructor(holder: Child) {
    this.#holder = holder;
  }

  static async open(): Promise<Namespace> {
    const holder = new Child([
      ...["unshare", "--net", "--mount", "--kill-child", "--fork"],
      ...["sh", "-c", setUp],
    ]);
    assert.equal(await holder.line(), "ready");
    return new Namespace(holder);
  }

  /** The command line that runs `command` inside. */
  inside(command: string[]): string[] {
    const target = `--target=${this.#holder.pid}`;
    return ["nsenter", target, "--net", "--mount", "--", ...command];
  }

  /** Starts a process inside. Its pid is that of the program. */
  start(command: string[], options?: { stdin?: boolean }): Child {
    return new Child(this.inside(command), options);
  }

  /** What a program inside prints, whether it succeeds or not. */
  async read(command: string[]): Promise<string> {
    const [program, ...args] = this.inside(command);
    const { stdout, stderr } = await new Deno.Command(program!, { args })
      .output();
    return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  }

  sh(script: string): Promise<string> {
    return this.read(["bash", "-c", script]);
  }

  /** A daemon that listens. */
  async daemon(uid: number, wrapper: string[] = []): Promise<Child> {
    const child = this.start([...wrapper, ...role("daemon", String(uid))]);
    assert.equal(await child.line(), "ready");
    return child;
  }

  /**
   * A connector of an unprivileged user, before it has said whether it was served.
   *
   * @param options.group A group of the user's.
   * @param options.service It waits for no daemon: the service starts one.
   */
  connector(
    uid = userId,
    { group, service = false }: { group?: number; service?: boolean } = {},
  ): Child {
    const drop = [
      "setpriv",
      `--reuid=${uid}`,
      `--regid=${uid}`,
      group === undefined ? "--clear-groups" : `--groups=${group}`,
    ];
    const argument = service ? ["service"] : [];
    // The cache of the user who runs the tests is not theirs to read.
    const env = ["env", "-i", "PATH=/usr/bin:/bin", "DENO_DIR=/proc/nocache"];
    const command = [...env, ...drop, ...role("connector", ...argument)];
    return this.start(command, { stdin: true });
  }

  repair(): Promise<string> {
    return this.read(role("repair"));
  }

  async leftover(): Promise<boolean> {
    return (await this.read(role("leftover"))).trim() === "true";
  }

  /** A nameserver of the office; it knows every name. */
  async nameserver(): Promise<Child> {
    const child = this.start(run("daemon_nameserver.ts", nameserver));
    assert.equal(await child.line(), "ready");
    return child;
  }

  /** How long a lookup of a name that is none of the cluster's takes, in milliseconds. */
  async lookupMs(): Promise<number> {
    const start = performance.now();
    const answer = await this.read(["getent", "hosts", "outside.test"]);
    assert.match(answer, /^203\.0\.113\.7\s/);
    return performance.now() - start;
  }

  /** Everything that has to be as before. */
  async state(): Promise<string[]> {
    const text = await this.sh(`
      ip -o address | cut -d' ' -f2-; ip route show table all; ip -6 route show table all
      stat -c '%n %i %a %u %g %y %F' /etc/resolv.conf; cat /etc/resolv.conf; ls -A /etc
      ls -A /run /var/lib; grep -v nsfs /proc/self/mountinfo | cut -d' ' -f5-; sysctl -a 2>/dev/null | grep '^net.*conf' | sort
    `);
    return [...text.split("\n"), ...await this.processes()];
  }

  /** Command lines of the processes inside. */
  async processes(): Promise<string[]> {
    const lines = await Promise.all(
      (await this.#pids()).map((pid) =>
        Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => "")
      ),
    );
    return lines.map((line) => line.replaceAll("\0", " ").split("\n")[0]!)
      .sort();
  }

  /** Ends what a test that failed has left inside, too. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of await this.#pids()) {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch {
        // It has ended meanwhile.
      }
    }
    await this.#holder[Symbol.asyncDispose]();
  }

  async #pids(): Promise<number[]> {
    const inside = await Deno.readLink(`/proc/${this.#holder.pid}/ns/net`);
    const found: number[] = [];
    for await (const { name } of Deno.readDir("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      const net = await Deno.readLink(`/proc/${name}/ns/net`).catch(() => "");
      if (net === inside) found.push(Number(name));
    }
    return found;
  }
}

async function* linesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

/** The command line of one side of the daemon. */
export function role(...args: string[]): string[] {
  return run("daemon_harness.ts", ...args);
}

function run(file: string, ...args: string[]): string[] {
  const path = new URL(file, import.meta.url).pathname;
  // A look for a newer Deno would be a packet that no test expects.
  const deno = ["env", "DENO_NO_UPDATE_CHECK=1", Deno.execPath()];
  return [...deno, "run", "-A", "--quiet", path, ...args];
}
