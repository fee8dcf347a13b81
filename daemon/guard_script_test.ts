import assert from "node:assert/strict";
import { planResolverFiles } from "../dns/edges/_resolver_files.ts";
import { Ip } from "../net/mod.ts";
import { guardScript } from "./guard_script.ts";

/** A program that notes how it is called, and says something. */
const noting = (said: string) =>
  `#!/bin/sh\necho "\${0##*/} $*" >>"\${0%/*}/calls"\n${said}`;

const programs = {
  ps: `#!/bin/sh
: >"\${0%/*}/asked"
IFS= read -r line <"/proc/$4/stat" || exit 1
set -- "$2" \${line##*) }
case $1 in ppid=) echo "  $3" ;; stat=) echo "$2s" ;; esac
`,
  ifconfig: noting(`case $* in
-v*) printf 'utun4: flags=8051<UP,POINTOPOINT,RUNNING,MULTICAST> mtu 1500 index 17\\n\\teflags=1002080<TXSTART,NOAUTOIPV6LL>\\n' ;;
utun4) printf 'utun4: flags=8051<UP> mtu 1500\\n\\tinet 198.18.0.1 --> 198.18.0.2 netmask 0xffffffff\\n\\tinet6 fe80::1%%utun4 prefixlen 64 scopeid 0x11\\n\\tinet6 fd74::1 --> fd74::2 prefixlen 128\\n' ;;
esac
`),
  route: noting(""),
  killall: noting(""),
};

interface Host {
  directory: string;
  /** The lines that the programs of macOS were called with. */
  calls: () => Promise<string[]>;
  /** Stands for the daemon: the guard is its child. */
  daemon: Deno.ChildProcess;
  /** Resolves when the guard has ended. */
  ended: Promise<void>;
}

/** The guard of macOS under a process that stands for the daemon, with programs of macOS that only note their calls. */
async function withGuard(
  lines: (pid: number, directory: string) => string[],
  run: (host: Host) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  const [bin, run_] = [`${directory}/bin`, `${directory}/run`];
  for (const path of [bin, run_]) await Deno.mkdir(path);
  for (const [name, text] of Object.entries(programs)) {
    await Deno.writeTextFile(`${bin}/${name}`, text, { mode: 0o755 });
  }
  const script = guardScript("darwin").replace("PATH=", `PATH=${bin}:`);
  await Deno.writeTextFile(`${directory}/guard.sh`, script);
  const daemon = new Deno.Command("/bin/sh", {
    // A pipe that the guard alone holds in the end tells when it has ended.
    args: [
      "-c",
      'read -r go; /bin/sh "$0/guard.sh" $$ 1.000001 "$0/run" & exec sleep 60 >/dev/null',
      directory,
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  try {
    const journal = lines(daemon.pid, directory).join("\n");
    await Deno.writeTextFile(`${run_}/journal`, `${journal}\n`);
    const writer = daemon.stdin.getWriter();
    await writer.write(new TextEncoder().encode("go\n"));
    await writer.close();
    while (!await Deno.stat(`${bin}/asked`).catch(() => undefined)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const ended = new Response(daemon.stdout).text().then(() => {});
    const calls = async () =>
      (await Deno.readTextFile(`${bin}/calls`).catch(() => ""))
        .trim().split("\n");
    await run({ directory, calls, daemon, ended });
  } finally {
    try {
      daemon.kill("SIGKILL");
    } catch { /* it has ended */ }
    await daemon.status;
    await Deno.remove(directory, { recursive: true });
  }
}

const ours = planResolverFiles({
  nameserver: Ip.parse("198.18.0.3"),
  zones: ["svc"],
  search: [],
}, new Map()).write.get("tp.svc")!;

async function writeFiles(directory: string): Promise<void> {
  await Deno.mkdir(`${directory}/resolver`);
  await Deno.writeTextFile(`${directory}/resolver/tp.svc`, ours);
  await Deno.writeTextFile(`${directory}/resolver/tp.mine`, "# mine\n");
}

async function names(directory: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(directory));
  return entries.map(({ name }) => name).sort();
}

const everything = (pid: number, directory: string) => [
  `daemon ${pid} 1.000001`,
  `resolver-files ${directory}/resolver`,
  "unreachable 198.18.0.0/29 4294967295",
  "unreachable fd74::/64 4294967295",
  "device utun4 17",
];

Deno.test("the guard of macOS undoes all when the daemon is killed", () =>
  withGuard(everything, async ({ directory, calls, daemon, ended }) => {
    await writeFiles(directory);
    daemon.kill("SIGKILL");
    await daemon.status;
    await ended;
    assert.deepEqual(await names(`${directory}/resolver`), ["tp.mine"]);
    assert.deepEqual(await calls(), [
      "killall -HUP mDNSResponder",
      "route -n delete -inet 198.18.0.0/29",
      "route -n delete -inet6 fd74::/64",
      "ifconfig -v utun4",
      "ifconfig utun4",
      "ifconfig utun4 inet 198.18.0.1 delete",
      "ifconfig utun4 inet6 fd74::1 delete",
      "ifconfig utun4 down",
    ]);
    assert.deepEqual(await names(directory), ["bin", "resolver"]);
  }));

Deno.test("the guard of macOS kills a daemon that is stopped, and undoes", () =>
  withGuard(everything, async ({ directory, daemon, ended }) => {
    await writeFiles(directory);
    daemon.kill("SIGSTOP");
    await ended;
    assert.equal((await daemon.status).signal, "SIGKILL");
    assert.deepEqual(await names(`${directory}/resolver`), ["tp.mine"]);
  }));

Deno.test("the guard of macOS leaves another's device, and another daemon's journal", async () => {
  const later = (pid: number, directory: string) => [
    ...everything(pid, directory).slice(0, 2),
    "device utun4 1",
  ];
  await withGuard(later, async ({ directory, calls, daemon, ended }) => {
    daemon.kill("SIGKILL");
    await daemon.status;
    await ended;
    assert.deepEqual(await calls(), ["ifconfig -v utun4"]);
    assert.deepEqual(await names(directory), ["bin"]);
  });
  const others = (pid: number, directory: string) => [
    `daemon ${pid} 2.000002`,
    `resolver-files ${directory}/resolver`,
  ];
  await withGuard(others, async ({ directory, daemon, ended }) => {
    await writeFiles(directory);
    daemon.kill("SIGKILL");
    await daemon.status;
    await ended;
    assert.deepEqual(await names(`${directory}/resolver`), [
      "tp.mine",
      "tp.svc",
    ]);
  });
});
