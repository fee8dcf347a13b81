/** `tp doctor` where something is wrong with a connection that stands, and where that is mended by itself. */
import assert from "node:assert/strict";
import { Laptop, must, openCluster, say, waitFor } from "../cluster/mod.ts";
import { Tp } from "../support/laptop_tp.ts";
import { ownProcesses } from "../support/own_processes.ts";
import { assertTold, doing, examine } from "./doctor_examination.ts";

const services = "10.96.0.0/16";
const page = "http://verylargejavaservice.default:8080/";
/** How long a route that was taken away may be gone on a busy machine. */
const returnMs = 5_000;

/** What is routed by our device. */
async function destinations(laptop: Laptop): Promise<string> {
  const found = ["-4", "-6"].map(async (family) => {
    const { stdout } = await laptop.run(
      ["ip", family, "route", "show", "dev", "tp0"],
    );
    return stdout.split("\n").map((line) => line.split(" ")[0]).sort();
  });
  return (await Promise.all(found)).flat().join(" ").trim();
}

/** A program that takes a route away as soon as it is set, and is told of in `tp status`. The route is there at its end. */
async function openThief(laptop: Laptop, tp: Tp): Promise<AsyncDisposable> {
  const route = ["ip", "route", "show", services, "dev", "tp0"];
  const { stdout: shown } = await laptop.run(route);
  const take = () => laptop.run(["ip", "route", "del", services, "dev", "tp0"]);
  const monitor = laptop.spawn(["ip", "-4", "monitor", "route"], {
    stdout: "piped",
  });
  const taking = (async () => {
    for await (const _ of monitor.stdout) await take();
  })();
  await using building = new AsyncDisposableStack();
  building.defer(async () => {
    monitor.kill("SIGTERM");
    await taking;
    await monitor.status;
    const [, ...words] = shown.trim().split(/\s+/);
    const replace = ["ip", "route", "replace", services, "dev", "tp0"];
    await must(laptop.command([...replace, ...words]));
  });
  await waitFor("word of it in tp status", async () => {
    await take();
    const text = await tp.ok(["status"]);
    const [line = "none"] = /^ +Last error: .*$/m.exec(text) ?? [];
    return /takes routes away again and again/.test(line) || line;
  }, { timeoutMs: 30_000, everyMs: 100 });
  return building.move();
}

Deno.test("tp doctor names what is wrong with a connection that stands", async (t) => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const office = "ip link add office type bridge; ip link set office up; " +
    "ip route add 10.244.0.0/16 dev office";
  await must(laptop.command(["sh", "-euc", office]));
  await using _ = await tp.connected();
  const { dns } =
    JSON.parse(await tp.ok(["status", "--output=json"])).root_daemon;
  const { connector } = await ownProcesses(laptop);

  await t.step("a solved overlap is told, and nothing is wrong", async () => {
    const checks = await examine(laptop);
    const overlaps = checks.find(({ id }) => id === "overlaps")!;
    say(`${overlaps.state} overlaps: ${overlaps.found}`);
    assert.match(
      overlaps.found,
      /as \S+ \(the host routes 10\.244\.0\.0\/16 through office\)/,
    );
    assert.deepEqual(checks.filter(({ state }) => state !== "ok"), []);
  });

  await t.step(
    "routes that another program takes away are set again, and nothing is wrong",
    async () => {
      const before = await destinations(laptop);
      const takings = [
        `ip route del ${services} dev tp0`,
        "ip route flush dev tp0; ip -6 route flush dev tp0",
        "ip link set tp0 down; ip link set tp0 up",
      ];
      for (const taking of takings) {
        await must(laptop.command(["sh", "-euc", taking]));
        const startMs = performance.now();
        await waitFor("the routes", async () => {
          const found = await destinations(laptop);
          return found === before || found;
        }, { timeoutMs: returnMs, everyMs: 20 });
        const ms = Math.round(performance.now() - startMs);
        say(`${taking}: set again after ${ms} ms`);
        const { stdout, stderr } = await laptop.run(["curl", "-sS", page]);
        assert.match(stdout, /EdgyCorp/, stderr);
      }
      const checks = await examine(laptop);
      assert.deepEqual(checks.filter(({ state }) => state !== "ok"), []);
      assert.doesNotMatch(await tp.ok(["status"]), /Last error/);
    },
  );

  await assertTold(t, laptop, [
    {
      what: "a resolver file that somebody else holds",
      make: () =>
        doing(laptop, [
          // Nobody can write it, not for a moment.
          "mkdir /run/of; busybox mount -t tmpfs tmpfs /run/of; " +
          "echo nameserver 192.0.2.1 >/run/of/another; " +
          "busybox mount -o remount,ro /run/of; " +
          "busybox mount -o bind /run/of/another /etc/resolv.conf",
          "busybox umount /etc/resolv.conf; busybox umount /run/of; " +
          "rmdir /run/of",
        ]),
      tells: {
        "resolver-file": ["failed", /asks 192\.0\.2\.1 first/, /`tp quit`/],
        getaddrinfo: ["failed", /kubernetes\.default/, /^As above$/],
      },
    },
    {
      what: "a route that another program takes away again and again",
      make: () => openThief(laptop, tp),
      tells: {
        routes: [
          "failed",
          /^10\.96\.0\.0\/16: no route by tp0/,
          /VPN.*leave those by tp0 alone.*once a minute/,
        ],
      },
    },
    {
      what: "a DNS that does not answer",
      make: () =>
        doing(laptop, [
          "nft add table inet deaf; " +
          "nft add chain inet deaf in '{ type filter hook input priority 0; }'; " +
          `nft add rule inet deaf in ip saddr ${dns.vif_address} drop`,
          "nft delete table inet deaf",
        ]),
      tells: {
        "dns-query": ["failed", /does not tell "kubernetes/, /kube-system/],
        getaddrinfo: ["failed", /kubernetes\.default/, /As above/],
      },
    },
    {
      what: "a connector that was stopped",
      make: () => {
        Deno.kill(connector, "SIGSTOP");
        return Promise.resolve({
          [Symbol.asyncDispose]: () => {
            Deno.kill(connector, "SIGCONT");
            return Promise.resolve();
          },
        });
      },
      tells: { connector: ["failed", /has stopped it/, /kill -CONT/] },
    },
  ]);
});
