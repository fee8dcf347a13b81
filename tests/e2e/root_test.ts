/** A real unprivileged user becomes root for the daemon by what the host has: passwords are typed at a terminal. */
import assert from "node:assert/strict";
import { sudoRsBinary } from "../cluster/mod.ts";
import { hostTest } from "./daemon_connected.ts";
import { type Namespace, userId } from "./daemon_namespace.ts";
import { Terminal } from "./terminal.ts";

const password = "correct horse";

interface World {
  /** Programs that this user finds, and what they are. */
  tools: Record<string, string>;
  sudoers?: string;
  doas?: string;
  /** What is typed, each after a prompt. A daemon is launched twice, each time at another terminal. */
  typed?: string[];
  /** There is a terminal unless told. */
  terminal?: false;
  /** Words before the user's command. */
  through?: string;
  /** What is written, each by itself. */
  told: RegExp[];
}

const sudo = { sudo: "/usr/bin/sudo" };
const sudoRs = { "sudo-rs": "/run/real-sudo-rs" };
const doas = { doas: "/usr/bin/doas" };
const launched = [/^launched$/m];
const mayAll = "jane ALL=(ALL:ALL) ALL\n";
const free = "jane ALL=(ALL:ALL) NOPASSWD: ALL\n";

const worlds: Record<string, World> = {
  "sudo with a password": {
    ...{ tools: sudo, sudoers: mayAll, typed: [password, password] },
    told: launched,
  },
  "sudo without a password": { tools: sudo, sudoers: free, told: launched },
  "sudo that asks each time": {
    ...{ tools: sudo, typed: [password, password], told: launched },
    sudoers: `Defaults timestamp_type=global, timestamp_timeout=0\n${mayAll}`,
  },
  "sudo that remembers": {
    ...{ tools: sudo, typed: [password], told: launched },
    sudoers: `Defaults timestamp_type=global\n${mayAll}`,
  },
  "sudo with a terminal of its own": {
    ...{ tools: sudo, told: launched },
    sudoers: `Defaults use_pty, requiretty\n${free}`,
  },
  "sudo-rs with a password": {
    ...{ tools: sudoRs, sudoers: mayAll, typed: [password, password] },
    told: launched,
  },
  "sudo-rs without a password": {
    ...{ tools: sudoRs, sudoers: free, told: launched },
  },
  "sudo-rs that does not know the user": {
    tools: sudoRs,
    told: [
      /^sudo-rs: I'm sorry jane/m,
      /^tp: Cannot start the daemon: sudo-rs refused\n {4}Ask for sudo-rs rights/m,
    ],
  },
  "doas with a password": {
    ...{ tools: doas, doas: "permit jane\n", typed: [password, password] },
    told: launched,
  },
  "doas without a password": {
    ...{ tools: doas, doas: "permit nopass jane\n", told: launched },
  },
  "doas beside a sudo that is only for others": {
    tools: { sudo: "/run/others-sudo", ...doas },
    ...{ doas: "permit nopass jane\n", told: launched },
  },
  "sudo that does not know the user": {
    ...{ tools: sudo, typed: [password] },
    told: [
      /^jane is not in the sudoers file/m,
      /^tp: Cannot start the daemon: sudo refused\n {4}Ask for sudo rights.*`tp run -- COMMAND`/m,
    ],
  },
  "sudo and a wrong password": {
    ...{ tools: sudo, sudoers: `Defaults passwd_tries=1\n${mayAll}` },
    typed: ["wrong"],
    told: [/^sudo: 1 incorrect password/m, /: sudo refused$/m],
  },
  "sudo with a password and no terminal": {
    ...{ tools: sudo, sudoers: mayAll, terminal: false },
    told: [/^sudo: a terminal is required/m, /: sudo refused$/m],
  },
  "sudo in a container that gives no privileges": {
    ...{
      tools: sudo,
      sudoers: free,
      through: "/usr/bin/setpriv --no-new-privs",
    },
    told: [/no new privileges/m, /: sudo refused$/m],
  },
  "doas that does not permit": {
    ...{ tools: doas, doas: "permit nopass root\n" },
    told: [
      /^doas: Operation not permitted$/m,
      /: doas refused\n.*doas rights/m,
    ],
  },
  "nothing to become root by": {
    tools: {},
    told: [
      /^tp: Cannot start the daemon: there is no sudo, sudo-rs or doas that/m,
      /^ {4}Install sudo, .*`tp proxy`/m,
    ],
  },
};

for (const [what, world] of Object.entries(worlds)) {
  hostTest(`root by ${what}`, async (host) => {
    await prepare(host, world);
    const before = await host.state();
    const typed = [...world.typed ?? []];
    const isLaunched = world.told === launched;
    // The second time shows what is remembered of the first.
    for (let time = isLaunched ? 2 : 1; time > 0; time--) {
      const written = await launch(host, { world, typed });
      for (const told of world.told) assert.match(written, told);
      if (!isLaunched) continue;
      await using connector = host.connector();
      assert.equal(await connector.line(), "ready");
      assert.equal(await connector.ask("close"), "ended closed");
    }
    assert.deepEqual(typed, [], "every password was asked for");
    assert.deepEqual(await host.state(), before);
  });
}

/** Resolves to what the user read. */
async function launch(
  host: Namespace,
  { world, typed }: { world: World; typed: string[] },
): Promise<string> {
  const harness = new URL("root_harness.ts", import.meta.url).pathname;
  const { through = "", terminal = true } = world;
  const command = `PATH=/run/bin exec ${through} ` +
    `${Deno.execPath()} run -A --quiet ${harness} 2>&1`;
  await using user = new Terminal(host.inside([
    ...["setpriv", `--reuid=${userId}`, `--regid=${userId}`, "--clear-groups"],
    ...["env", "-i", "PATH=/usr/bin:/bin", "HOME=/run/jane", "LC_ALL=C"],
    ...["DENO_DIR=/run/deno", "DENO_NO_UPDATE_CHECK=1", "SHELL=/bin/sh"],
    ...terminal
      ? ["script", "-qefc", command, "/dev/null"]
      : ["setsid", "--wait", "sh", "-c", command],
  ]));
  return await user.answer(/[Pp]assword[^\n]*: $/, typed);
}

/** The user, what they find, and what the host's rules say of them. */
async function prepare(host: Namespace, world: World): Promise<void> {
  const { tools, sudoers = "", doas = "" } = world;
  const etc = `/proc/${Deno.pid}/root/etc`;
  const said = await host.sh(`set -e
    cp -a ${etc}/pam.d ${etc}/security ${etc}/login.defs /etc
    # What the user's own cache would hold.
    mkdir /run/deno
    mount --bind "\${DENO_DIR:-$HOME/.cache/deno}" /run/deno
    mkdir /run/bin /run/sudo /run/sudo-rs /run/jane /var/lib/sudo /var/lib/sudo/lectured /etc/sudoers.d
    install -m 4755 ${await sudoRsBinary()} /run/real-sudo-rs
    chmod 700 /run/sudo /run/sudo-rs /var/lib/sudo /var/lib/sudo/lectured
    touch /var/lib/sudo/lectured/jane
    echo 'jane:x:${userId}:${userId}::/run/jane:/bin/sh' >>/etc/passwd
    echo 'jane:x:${userId}:' >>/etc/group
    echo "jane:$(openssl passwd -6 '${password}'):20000::::::" >/etc/shadow
    echo 'root:*:20000::::::' >>/etc/shadow
    chmod 600 /etc/shadow
    printf '%s' 'root ALL=(ALL:ALL) ALL
@includedir /etc/sudoers.d
' >/etc/sudoers
    printf '%s' '${sudoers}' >/etc/sudoers.d/jane
    printf '%s' '${doas}' >/etc/doas.conf
    chmod 440 /etc/sudoers /etc/sudoers.d/jane
    chmod 400 /etc/doas.conf
    install -m 700 /usr/bin/true /run/others-sudo
    ${
    Object.entries(tools).map(([name, path]) =>
      `ln -s ${path} /run/bin/${name}`
    )
      .join("\n    ")
  }
  `);
  assert.equal(said, "");
}
