/** The daemon on a real host of its own: what it changes, and that all of it is undone whatever dies. */
import assert from "node:assert/strict";
import {
  connect,
  connectedTest,
  eventually,
  guardPid,
  hostTest,
  isOurs,
  nameserver,
  subnets,
} from "./daemon_connected.ts";
import { userId } from "./daemon_namespace.ts";

connectedTest(
  "an unprivileged connector reads the packets of its device",
  async ({ host, daemon, connector, before }) => {
    const routes = await host.sh("ip route; ip -6 route");
    for (
      const line of [
        /^10\.96\.0\.0\/12 dev tp0 .*src 198\.18\.0\.1/m,
        /^198\.18\.0\.0\/29 dev tp0 .*src 198\.18\.0\.1/m,
        /^unreachable 198\.18\.0\.0\/29 .*metric 4294967295/m,
        /^fd10::\/108 dev tp0 .*src fd00:7470::1/m,
        /^unreachable fd00:7470::\/64 .*metric 4294967295/m,
      ]
    ) assert.match(routes, line);
    const filter = await host.sh("cat /proc/sys/net/ipv4/conf/tp0/rp_filter");
    assert.equal(filter.trim(), "1");
    const addresses = await host.sh("ip -o address show dev tp0");
    assert.doesNotMatch(addresses, /fe80|tentative/);

    await host.sh("echo hello >/dev/udp/10.100.0.10/7777");
    const v4 = await connector.ask("read 4");
    // Version, protocol 17, source 198.18.0.1, destination 10.100.0.10; port 7777.
    assert.match(v4!, /^packet 45.{16}11.{4}c61200010a64000a.{4}1e61/);
    assert.ok(v4!.endsWith("68656c6c6f0a"));
    await host.sh("echo hello >/dev/udp/fd10::10/7777");
    const v6 = await connector.ask("read 6");
    const source = "fd007470000000000000000000000001";
    const destination = "fd100000000000000000000000000010";
    assert.ok(v6!.includes(source + destination));

    await host.sh(
      "for ((i = 0; i < 4000; i++)); do echo $i >/dev/udp/10.100.0.10/53; done",
    );
    const [counters] = JSON.parse(await host.sh("ip -s -json link show tp0"));
    assert.equal(counters.stats64.tx.dropped, 0, "a burst waits to be read");

    assert.equal(await connector.ask("unroute 10.96.0.0/12"), "done");
    assert.doesNotMatch(await host.sh("ip route"), /10\.96/);
    const start = performance.now();
    assert.equal(await connector.ask("close"), "ended closed");
    assert.ok(performance.now() - start < 1_000);
    assert.equal((await daemon.ended).code, 0);
    await connector[Symbol.asyncDispose]();
    assert.deepEqual(await host.state(), before);
  },
);

hostTest("what would break the host is refused", async (host) => {
  await using _daemon = await host.daemon(userId);
  await using connector = host.connector();
  assert.equal(await connector.line(), "ready");
  const refusals: [string, string][] = [
    ["route 10.96.0.0/12", "device-missing"],
    ["open 192.0.2.0/29", "subnet-taken"],
    ["open 10.0.0.0/16", "subnet-size"],
    ["open 127.9.0.0/29", "subnet-loopback"],
    [`open ${subnets}`, "device tp0"],
    [`open ${subnets}`, "device-open"],
    ["route 0.0.0.0/0", "subnet-default"],
    ["route 0.0.0.0/1", "subnet-too-wide"],
    ["route ::/0", "subnet-default"],
    ["route 192.0.2.128/25", "subnet-on-link"],
    ["route 192.0.0.0/8", "subnet-nameserver"],
    ["resolver 192.0.2.1", "nameserver-outside"],
    [`resolver ${nameserver}`, "done"],
    ["route 192.0.0.0/8", "subnet-nameserver"],
  ];
  for (const [request, expected] of refusals) {
    const answer = await connector.ask(request);
    assert.equal(answer!.replace(/^refused /, ""), expected, request);
  }
});

connectedTest(
  "another user and a second connector are told who holds the network",
  async ({ host, connector }) => {
    for (const uid of [userId, userId + 1]) {
      await using other = host.connector(uid);
      assert.equal(
        await other.line(),
        `failed HeldError Cannot use the network: user "${userId}" is connected on this host`,
      );
    }
    assert.equal(await connector.ask("route 10.244.0.0/16"), "done");
  },
);

connectedTest(
  "kill -9 of the connector undoes everything",
  async ({ host, daemon, connector, before }) => {
    connector.signal("SIGKILL");
    await eventually(() => host.state(), before);
    assert.equal((await daemon.ended).code, 0);
    assert.ok(await host.lookupMs() < 500);
  },
);

connectedTest(
  "kill -9 of the daemon: its guard undoes everything",
  async ({ host, daemon, connector, before }) => {
    daemon.signal("SIGKILL");
    await eventually(isOurs(host), false);
    assert.equal(await connector.line(), "ended lost");
    assert.equal(await host.leftover(), false);
    await connector[Symbol.asyncDispose]();
    await host.repair();
    await eventually(() => host.state(), before);
  },
);

connectedTest(
  "SIGTERM of the daemon undoes everything",
  async ({ host, daemon, connector, before }) => {
    daemon.signal("SIGTERM");
    assert.equal((await daemon.ended).code, 0);
    assert.equal(await connector.line(), "ended lost");
    await connector[Symbol.asyncDispose]();
    assert.deepEqual(await host.state(), before);
  },
);

connectedTest(
  "a stopped connector's resolver is restored and comes back with it",
  async ({ host, connector }) => {
    connector.signal("SIGSTOP");
    assert.ok(await host.lookupMs() < 2_000);
    assert.equal(await isOurs(host)(), false);
    // Who has read the file before turns to the host's own at once, too.
    const way = () => host.sh(`ip route get ${nameserver}`);
    assert.match(await way(), /No route to host/);
    connector.signal("SIGCONT");
    await eventually(isOurs(host), true);
    assert.match(await way(), /dev tp0/);
    assert.equal(await connector.ask("route 10.244.0.0/16"), "done");
  },
);

connectedTest(
  "a stopped daemon is undone by its guard",
  async ({ host, daemon, connector, before }) => {
    daemon.signal("SIGSTOP");
    await eventually(isOurs(host), false);
    assert.equal(await connector.line(), "ended lost");
    assert.equal((await daemon.ended).signal, "SIGKILL");
    await connector[Symbol.asyncDispose]();
    await host.repair();
    await eventually(() => host.state(), before);
  },
);

connectedTest(
  "a guard that is killed or stopped is started anew",
  async ({ host, daemon }) => {
    for (const signal of ["SIGKILL", "SIGSTOP"] as const) {
      const first = await guardPid(host);
      Deno.kill(first, signal);
      await eventually(async () => await guardPid(host) !== first, true);
    }
    daemon.signal("SIGKILL");
    await eventually(isOurs(host), false);
  },
);

connectedTest(
  "kill -9 of everything: names resolve, the next command repairs",
  async ({ host, daemon, connector, before }) => {
    Deno.kill(await guardPid(host), "SIGKILL");
    for (const child of [daemon, connector]) child.signal("SIGKILL");
    assert.ok(await host.lookupMs() < 2_000);
    await Promise.all([daemon.ended, connector.ended]);
    // The device is gone with its descriptor, so our address is told to be unreachable.
    assert.ok(await host.lookupMs() < 500);
    assert.equal(await isOurs(host)(), true);
    assert.equal(await host.leftover(), true);
    await host.repair();
    assert.equal(await host.leftover(), false);
    assert.deepEqual(await host.state(), before);
  },
);

connectedTest(
  "everything stopped: names resolve, the next command repairs",
  async ({ host, daemon, connector, before }) => {
    Deno.kill(await guardPid(host), "SIGSTOP");
    for (const child of [daemon, connector]) child.signal("SIGSTOP");
    assert.ok(await host.lookupMs() < 6_000);
    assert.equal(await host.leftover(), true);
    await host.repair();
    assert.equal((await daemon.ended).signal, "SIGKILL");
    await connector[Symbol.asyncDispose]();
    assert.deepEqual(await host.state(), before);
  },
);

connectedTest(
  "the next daemon repairs, too, and after a power failure",
  async ({ host, daemon, connector }) => {
    Deno.kill(await guardPid(host), "SIGKILL");
    for (const child of [daemon, connector]) child.signal("SIGKILL");
    await Promise.all([daemon.ended, connector.ended]);
    await host.sh(
      "rm -r /run/tp; ip route flush type unreachable; ip -6 route flush type unreachable",
    );
    assert.equal(await host.leftover(), true);
    await using next = await host.daemon(userId);
    assert.equal(await isOurs(host)(), false);
    await using again = host.connector();
    await connect(again);
    assert.equal(await again.ask("close"), "ended closed");
    assert.equal((await next.ended).code, 0);
  },
);

connectedTest(
  "a file that a DHCP client writes is the host's own from then on",
  async ({ host, connector }) => {
    const theirs = "nameserver 192.0.2.99\\n";
    await host.sh(
      `printf '${theirs}' >/etc/next; mv /etc/next /etc/resolv.conf`,
    );
    await eventually(isOurs(host), true);
    const text = await host.sh("cat /etc/resolv.conf");
    assert.match(text, /^nameserver 192\.0\.2\.99$/m);
    assert.equal(await connector.ask("close"), "ended closed");
    const after = await host.sh("cat /etc/resolv.conf");
    assert.equal(after, "nameserver 192.0.2.99\n");
  },
);

hostTest(
  "a resolv.conf that is a mount point is written in place, and back by the guard",
  async (host) => {
    await host.sh(
      "cp -a /etc/resolv.conf /run/r; mount --bind /run/r /etc/resolv.conf",
    );
    const before = await host.sh(
      "stat -c '%i %a %u %g' /etc/resolv.conf; cat /etc/resolv.conf",
    );
    const now = () =>
      host.sh("stat -c '%i %a %u %g' /etc/resolv.conf; cat /etc/resolv.conf");
    for (const how of ["close", "kill"]) {
      await using daemon = await host.daemon(userId);
      await using connector = host.connector();
      await connect(connector);
      assert.equal(await isOurs(host)(), true);
      if (how === "close") await connector.ask("close");
      else daemon.signal("SIGKILL");
      await eventually(now, before);
    }
  },
);

hostTest("a full disk is told and nothing is changed", async (host) => {
  await host.sh("head -c 1G /dev/zero >/etc/filler");
  const before = await host.sh("cat /etc/resolv.conf; ls -A /etc");
  await using _daemon = await host.daemon(userId);
  await using connector = host.connector();
  assert.equal(await connector.line(), "ready");
  await connector.ask(`open ${subnets}`);
  assert.equal(
    await connector.ask(`resolver ${nameserver}`),
    "refused disk-full",
  );
  assert.equal(await host.sh("cat /etc/resolv.conf; ls -A /etc"), before);
});

hostTest(
  "a host without /dev/net/tun, and root that may not use it",
  async (host) => {
    const before = await host.state();
    {
      await using _daemon = await host.daemon(userId, [
        "setpriv",
        "--bounding-set=-net_admin",
      ]);
      await using connector = host.connector();
      assert.equal(await connector.line(), "ready");
      assert.equal(
        await connector.ask(`open ${subnets}`),
        "refused tun-denied",
      );
      await connector.ask("close");
    }
    await host.sh("mount -t tmpfs none /dev/net");
    {
      await using _daemon = await host.daemon(userId);
      await using connector = host.connector();
      assert.equal(await connector.line(), "ready");
      assert.equal(
        await connector.ask(`open ${subnets}`),
        "refused tun-missing",
      );
      await connector.ask("close");
    }
    await host.sh("umount /dev/net");
    assert.deepEqual(await host.state(), before);
  },
);

hostTest(
  "a container with /dev/net/tun and NET_ADMIN: resolver file a mount, /proc/sys read-only",
  async (host) => {
    await using _server = await host.nameserver();
    await host.sh(`
      cp /etc/resolv.conf /run/resolv.conf
      mount --bind /run/resolv.conf /etc/resolv.conf
      mount --bind /proc/sys /proc/sys
      mount -o remount,ro,bind /proc/sys
    `);
    // A file that is written in place has another time afterwards.
    const state = async () =>
      (await host.state()).map((line) =>
        line.replace(/^(\/etc\/resolv\.conf( \d+){4}) \S+ \S+ \S+/, "$1")
      );
    const before = await state();
    const capabilities = "-all,+chown,+dac_override,+fowner,+fsetid,+kill," +
      "+setgid,+setuid,+setpcap,+net_bind_service,+net_raw,+sys_chroot," +
      "+mknod,+audit_write,+setfcap,+net_admin";
    await using daemon = await host.daemon(userId, [
      ...["setpriv", "--inh-caps=-all", `--bounding-set=${capabilities}`],
    ]);
    await using connector = host.connector();
    await connect(connector);
    assert.match(await host.sh("ip route"), /^10\.96\.0\.0\/12 dev tp0/m);
    assert.ok(await isOurs(host)());
    await host.sh("echo hello >/dev/udp/10.100.0.10/7777");
    assert.match((await connector.ask("read 4"))!, /^packet 45/);
    assert.equal(await connector.ask("close"), "ended closed");
    assert.equal((await daemon.ended).code, 0);
    await connector[Symbol.asyncDispose]();
    assert.ok(await host.lookupMs() < 1_000);
    assert.deepEqual(await state(), before);
  },
);
