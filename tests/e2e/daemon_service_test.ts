/** The daemon as a service: systemd's own programs read its units and hand it its socket; no systemd runs. */
import assert from "node:assert/strict";
import { serviceSocketPath } from "../../daemon/api.ts";
import {
  serviceUnit,
  serviceUnits,
  socketUnit,
} from "../../daemon/service_units.ts";
import {
  connect,
  eventually,
  guardPid,
  hostTest,
  isOurs,
  nameserver,
  subnets,
} from "./daemon_connected.ts";
import {
  type Child,
  type Namespace,
  role,
  userId,
} from "./daemon_namespace.ts";

const group = 4242;
const source = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
const units = serviceUnits({
  group: "devs",
  program: [Deno.execPath(), "run", "-A", "--quiet", `${source}/main.ts`],
});

/** The power that the unit leaves to the daemon, for setpriv(1). */
function unitPower(): string[] {
  const [, names = ""] = /^CapabilityBoundingSet=(.*)$/m
    .exec(units[serviceUnit]!) ?? [];
  const set = names.split(" ")
    .map((name) => `,+${name.replace("CAP_", "").toLowerCase()}`).join("");
  return ["setpriv", "--no-new-privs", `--bounding-set=-all${set}`];
}

/** What systemd does for the units: it listens, and starts the daemon when somebody comes. */
async function listen(
  host: Namespace,
  { wrapper = [] }: { wrapper?: string[] } = {},
): Promise<Child> {
  const child = host.start([
    ...["systemd-socket-activate", "--seqpacket", `-l${serviceSocketPath}`],
    ...wrapper,
    ...unitPower(),
    ...role("daemon", "service"),
  ]);
  const [, mode] = /^SocketMode=(\d+)$/m.exec(units[socketUnit]!)!;
  await host.sh(`until [ -S ${serviceSocketPath} ]; do sleep 0.01; done
    chown 0:${group} ${serviceSocketPath}; chmod ${mode} ${serviceSocketPath}`);
  return child;
}

const member = (host: Namespace, uid = userId) =>
  host.connector(uid, { group, service: true });

hostTest(
  "systemd finds nothing wrong with the service's units",
  async (host) => {
    await host.sh("mkdir /run/units; echo 'devs:x:4242:' >>/etc/group");
    for (const [name, text] of Object.entries(units)) {
      await host.sh(`cat >/run/units/${name} <<'END'\n${text}END`);
    }
    const verify = `systemd-analyze verify /run/units/* 2>&1; echo code $?`;
    assert.equal(await host.sh(verify), "code 0\n");
    await host.sh(`echo Nonsense=1 >>/run/units/${serviceUnit}`);
    assert.match(await host.sh(verify), /Nonsense/, "it does look");
  },
);

hostTest(
  "as a service it is started by a member of the group, who gets no more than another connector",
  async (host) => {
    await using _nameserver = await host.nameserver();
    const before = await host.state();
    await using service = await listen(host);

    await using outsider = host.connector(54322, { service: true });
    assert.match((await outsider.line())!, /^failed DaemonAbsentError /);
    assert.equal(await host.sh("ls /run/tp 2>&1 | grep -c journal"), "0\n");

    await using connector = member(host);
    await connect(connector);
    assert.ok(await isOurs(host)());
    const refused = {
      "route 0.0.0.0/0": "subnet-default",
      "route 0.0.0.0/1": "subnet-too-wide",
      "route 192.0.2.128/25": "subnet-on-link",
      "route 127.0.0.0/8": "subnet-loopback",
      "resolver 192.0.2.53": "nameserver-outside",
      [`open ${subnets}`]: "device-open",
    };
    for (const [request, code] of Object.entries(refused)) {
      assert.equal(await connector.ask(request), `refused ${code}`, request);
    }
    await using second = member(host, 54323);
    assert.match(
      (await second.line())!,
      new RegExp(`^failed HeldError .*user "${userId}" is connected`),
    );
    assert.equal(await connector.ask("close"), "ended closed");
    assert.equal(await service.line(), "ready");
    assert.equal((await service.ended).code, 0);
    for (const child of [connector, outsider, second]) {
      await child[Symbol.asyncDispose]();
    }
    await host.sh(`rm ${serviceSocketPath}`);
    assert.deepEqual(await host.state(), before);
  },
);

hostTest(
  "as a service it undoes, when it is started, what one left that was killed with its guard",
  async (host) => {
    await using _nameserver = await host.nameserver();
    const before = await host.state();
    {
      await using service = await listen(host);
      await using connector = member(host);
      await connect(connector);
      assert.equal(await service.line(), "ready");
      const guard = await guardPid(host);
      // What systemd handed over is the daemon's alone: the guard would keep its place in the queue.
      const open = await host.sh(`ls -l /proc/${guard}/fd`);
      assert.doesNotMatch(open, /socket:.*\n.*socket:|3 -> socket/);
      Deno.kill(guard, "SIGSTOP");
      service.signal("SIGKILL");
      Deno.kill(guard, "SIGKILL");
      await service.ended;
      assert.ok(await isOurs(host)());
    }
    await host.sh(`rm ${serviceSocketPath}`);
    await using service = await listen(host);
    await using connector = member(host);
    assert.equal(await connector.line(), "ready");
    assert.equal(await service.line(), "ready");
    await eventually(isOurs(host), false);
    assert.equal(await connector.ask(`open ${subnets}`), "device tp0");
    assert.equal(await connector.ask(`resolver ${nameserver}`), "done");
    assert.equal(await connector.ask("close"), "ended closed");
    await service.ended;
    await connector[Symbol.asyncDispose]();
    await host.sh(`rm ${serviceSocketPath}`);
    assert.deepEqual(await host.state(), before);
  },
);

hostTest("a service that cannot start keeps nobody waiting", async (host) => {
  await using _daemon = await host.daemon(0);
  await host.sh("mv /run/tp/daemon.sock /run/tp/hidden");
  // As systemd does, somebody else keeps the socket open.
  const wrapper = ["sh", "-c", 'sleep 60 >/dev/null & exec "$@"', "sh"];
  await using service = await listen(host, { wrapper });
  await using connector = member(host);
  assert.match((await connector.line())!, /^failed DaemonAbsentError /);
  assert.equal(await service.line(), undefined);
  assert.notEqual((await service.ended).code, 0);
  const waiting = await host.sh(`ss -xlH | grep ${serviceSocketPath}`);
  assert.match(waiting, /^u_seq +LISTEN +0 /);
});

/** Words of `tp` from a directory where all is root's own, as root or as who is in the group. */
async function tp(
  host: Namespace,
  args: string,
  { through = "", path = "/run/tp-source" } = {},
): Promise<string> {
  const deno = Deno.execPath().replace(source, path);
  const written = await host.sh(
    `export PATH=/run/bin:$PATH DENO_NO_UPDATE_CHECK=1
    ${through} ${deno} run -A --quiet ${path}/main.ts daemon ${args} 2>&1`,
  );
  return written.trim();
}

hostTest("tp daemon install, status and uninstall", async (host) => {
  await host.sh(`mkdir -p /run/bin /run/tp-source /etc/systemd/system
    mount --bind ${source} /run/tp-source
    mkdir -m 777 /run/anybodys
    mkdir /run/anybodys/source
    mount --bind ${source} /run/anybodys/source
    echo 'devs:x:${group}:' >>/etc/group
    printf '#!/bin/sh\necho "$@" >>/run/asked\n[ ! -e /run/broken ]\n' >/run/bin/systemctl
    touch /run/asked
    chmod 755 /run/bin/systemctl`);
  const before = await host.state();
  const install = (options?: Parameters<typeof tp>[2]) =>
    tp(host, "install --group devs", options);

  assert.match(await install(), /this host does not run systemd\n {4}Without/);
  await host.sh("mkdir -p /run/systemd/system");
  assert.match(
    await tp(host, "install --group nobodys"),
    /there is no group "nobodys"\n.*`groupadd/,
  );
  assert.match(
    await install({ path: "/run/anybodys/source" }),
    /others than root may change "\/run\/anybodys"\n.*sudo install tp/,
  );
  assert.equal(await host.sh("cat /run/asked; ls /etc/systemd/system"), "");
  await host.sh("touch /run/broken");
  assert.match(await install(), /systemctl daemon-reload: it failed/);
  await host.sh("rm /run/broken");
  assert.equal(await host.sh("ls /etc/systemd/system"), "");
  assert.match(await tp(host, "status"), /^Not installed\n/);
  assert.equal(await tp(host, "uninstall"), "Not installed");

  await host.sh(">/run/asked");
  assert.match(await install(), /^Installed: members of group "devs"/);
  assert.equal(
    await host.sh("cat /run/asked"),
    `daemon-reload\nenable ${socketUnit}\nrestart ${socketUnit}\n`,
  );
  assert.match(
    await host.sh(`cat /etc/systemd/system/${serviceUnit}`),
    /^ExecStart=\/run\/tp-source\/\S+ run .*\/main\.ts daemon-foreground$/m,
  );
  {
    await using service = await listen(host);
    const as = (more: string) => ({
      through: `env DENO_DIR=/run/deno setpriv --reuid=${userId} ${more}`,
    });
    // What the user's own cache would hold.
    await host.sh(`mkdir /run/deno
      mount --bind "\${DENO_DIR:-$HOME/.cache/deno}" /run/deno`);
    assert.match(
      await tp(host, "status", as(`--groups=${group}`)),
      /^Installed for group "devs"\n {2}Without sudo: yes\n {2}Running: +no$/,
    );
    assert.match(
      await tp(host, "status", as("--clear-groups --regid=1")),
      /Without sudo: no: not a member/,
    );
    assert.match(
      await tp(host, "install", as("--clear-groups")),
      /it needs root/,
    );
    service.signal("SIGKILL");
    assert.equal(await service.line(), undefined);
  }
  await host.sh(
    `umount /run/deno; rmdir /run/deno; rm ${serviceSocketPath}; >/run/asked`,
  );
  assert.equal(await tp(host, "uninstall"), "Uninstalled");
  assert.equal(
    await host.sh("cat /run/asked"),
    `disable --now ${socketUnit} ${serviceUnit}\ndaemon-reload\n`,
  );
  await host.sh("rmdir -p /run/systemd/system 2>&1");
  assert.deepEqual(await host.state(), before);
});
