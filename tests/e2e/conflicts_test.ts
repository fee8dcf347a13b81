/** Addresses that the cluster and the host both have: the cluster is reached by virtual ones, and the host loses none. */
import assert from "node:assert/strict";
import {
  type Cluster,
  Laptop,
  openCluster,
  say,
  waitFor,
} from "../cluster/mod.ts";
import { DatabaseSession } from "../support/database_session.ts";
import { Subnet } from "../../net/mod.ts";
import { Tp } from "../support/laptop_tp.ts";
import { watchRoutes } from "../support/routed.ts";
import { assertSameState } from "../support/same_state.ts";
import { HostNetworks, ownAnswer } from "./host_networks.ts";

const services = "10.96.0.0/16";
const pods = "10.244.0.0/16";
const java = "verylargejavaservice.default";
const headless = "postgres-pods";

/** How long a change of the host may take to be seen. */
const changeMs = 5_000;

async function dig(laptop: Laptop, ...args: string[]): Promise<string> {
  const { stdout } = await laptop.run(
    ["dig", "+time=3", "+tries=1", "+noall", "+answer", ...args],
  );
  return stdout.trim();
}

const address = (laptop: Laptop, name: string, type = "A") =>
  dig(laptop, "+short", name, type);

async function page(laptop: Laptop, host: string): Promise<string> {
  const url = `http://${host.includes(":") ? `[${host}]` : host}:8080/`;
  const { stdout, stderr } = await laptop.run(["curl", "-sS", "-m", "10", url]);
  return stdout + stderr;
}

async function serviceIps(cluster: Cluster, name: string): Promise<string[]> {
  const { stdout } = await cluster.kubectl(
    ["get", "service", name, "-o", "jsonpath={.spec.clusterIPs[*]}"],
  );
  return stdout.split(" ");
}

async function rootStatus(tp: Tp) {
  const text = await tp.ok(["status", "--output", "json"]);
  return JSON.parse(text)["root_daemon"];
}

/** The pods of a database by their own addresses. */
async function headlessDatabase(cluster: Cluster): Promise<AsyncDisposable> {
  await cluster.apply(`
apiVersion: v1
kind: Service
metadata: { name: ${headless}, namespace: default }
spec:
  clusterIP: None
  ipFamilyPolicy: PreferDualStack
  selector: { app: postgres }
  ports: [{ name: postgres, port: 5432 }]
`);
  return {
    [Symbol.asyncDispose]: () =>
      cluster.kubectl(["delete", "service", headless]).then(() => {}),
  };
}

Deno.test("a bridge on the service subnet and a VPN over the pods: both worlds answer", async (t) => {
  const cluster = await openCluster();
  await using _database = await headlessDatabase(cluster);
  await using laptop = await Laptop.open(cluster);
  await using networks = await HostNetworks.open(laptop);
  const [real] = await serviceIps(cluster, "verylargejavaservice");
  const [postgres4, postgres6] = await serviceIps(cluster, "postgres");
  await networks.bridge(
    ["10.96.0.1/16", "fd00:96::1/112"],
    [`${real}/16`, `${postgres6}/112`],
  );
  await networks.vpn(pods);
  const tp = new Tp(laptop);
  const before = await laptop.snapshot();
  const watched = watchRoutes(laptop);
  const connected = await tp.ok(["connect"]);
  // What the host has is never routed elsewhere, not for a moment.
  const taken = (await watched.end()).filter((one) =>
    [services, pods].some((subnet) => Subnet.parse(subnet).overlaps(one))
  );
  assert.deepEqual(taken.map(String), []);
  assert.match(
    connected,
    /^Virtual addresses: 10\.96\.0\.0\/16 as \S+ \(the host is connected to it by docker0\)$/m,
  );

  let virtual = "";
  await t.step(
    "a service answers by name, the container by the same address",
    async () => {
      virtual = await address(laptop, java);
      assert.match(virtual, /^(198\.1[89]|246\.246)\./);
      assert.match(await page(laptop, java), /EdgyCorp/);
      assert.match(await page(laptop, virtual), /EdgyCorp/);
      assert.equal(await page(laptop, real!), ownAnswer);
      assert.equal(await page(laptop, "10.8.0.1"), ownAnswer);
    },
  );
  await t.step(
    "the same address stands for the same service, over TCP too",
    async () => {
      assert.equal(await dig(laptop, "+short", "+tcp", java), virtual);
      const { stdout } = await laptop.run(["getent", "ahostsv4", java]);
      assert.ok(stdout.startsWith(`${virtual} `), stdout);
    },
  );
  await t.step(
    "a virtual address has the service's name, a real one is the host's",
    async () => {
      const name = await dig(laptop, "+short", "-x", virtual);
      assert.equal(name, `${java}.svc.cluster.local.`);
      assert.equal(await dig(laptop, "+short", "-x", real!), "");
    },
  );
  await t.step("IPv6 the same", async () => {
    const virtual6 = await address(laptop, "postgres.default", "AAAA");
    assert.match(virtual6, /^fd74:/);
    const name = await dig(laptop, "+short", "-x", virtual6);
    assert.equal(name, "postgres.default.svc.cluster.local.");
    await using session = await DatabaseSession.open(laptop, {
      host: virtual6,
    });
    assert.equal(await session.ask("select 6"), "6");
    assert.equal(await page(laptop, postgres6!), ownAnswer);
  });
  await t.step(
    "psql by service, and to a pod of a headless service",
    async () => {
      for (const host of ["postgres.default", `${headless}.default`]) {
        const found = await address(laptop, host);
        assert.match(found, /^(198\.1[89]|246\.246)\./, host);
        await using session = await DatabaseSession.open(laptop, { host });
        assert.equal(await session.ask("select inet_server_port()"), "5432");
      }
      const pod = await laptop.run(["curl", "-sS", "10.244.0.77:8080"]);
      assert.equal(pod.stdout, ownAnswer, "the VPN's own answers");
    },
  );
  await t.step("SRV records have virtual addresses beside them", async () => {
    const question = `_postgres._tcp.${headless}.default`;
    const text = await dig(laptop, "+additional", question, "SRV");
    assert.match(text, /\sSRV\s/);
    assert.match(text, /\sA\s+(198\.1[89]|246\.246)\./);
    assert.doesNotMatch(text, /\sA\s+10\.244\./);
  });
  await t.step("tp status tells subnets, ranges and reasons", async () => {
    const text = await tp.ok(["status"]);
    assert.match(text, /Virtual: +10\.96\.0\.0\/16 as .* by docker0\)$/m);
    assert.match(text, /Virtual: +10\.244\.\S+ as .* through vpn0\)$/m);
    const { virtual_subnets: subnets, ...status } = await rootStatus(tp);
    const of = (subnet: string) =>
      subnets.find((one: { subnet: string }) => one.subnet === subnet);
    assert.equal(of(services).reason, "the host is connected to it by docker0");
    assert.equal(of(services)["stranded_flows"], 0);
    const { used, size } = status["virtual_ranges"][0];
    assert.ok(used >= 3 && size > 60_000, `${used} of ${size}`);
    assert.ok(!status.subnets.includes(services));
    assert.ok(of("fd00:96::/112").ranges[0].startsWith("fd74:"));
    assert.notEqual(postgres4, undefined);
  });
  await tp.ok(["quit"]);
  assertSameState(await laptop.snapshot(), before);
});

Deno.test("a VPN that starts after tp connect gets its subnet, and gives it back", async (t) => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using networks = await HostNetworks.open(laptop);
  const [real] = await serviceIps(cluster, "verylargejavaservice");
  const [postgres4] = await serviceIps(cluster, "postgres");
  const tp = new Tp(laptop);
  const before = await laptop.snapshot();
  await tp.ok(["connect"]);
  assert.equal(await address(laptop, java), real);
  assert.deepEqual((await rootStatus(tp))["virtual_subnets"], []);
  const session = await DatabaseSession.open(laptop, { host: postgres4! });
  try {
    const vpns: [subnet: string, table: string][] = [
      [services, "main"],
      ["10.64.0.0/10", "main"],
      [services, "52"],
    ];
    for (const [subnet, table] of vpns) {
      await t.step(`VPN over ${subnet} in table ${table}`, async () => {
        await networks.vpn(subnet, { table });
        let virtual = "";
        const startMs = performance.now();
        await waitFor("virtual address", async () => {
          virtual = await address(laptop, java);
          return virtual !== real && virtual !== "" || virtual;
        }, { timeoutMs: changeMs, everyMs: 50 });
        const tookMs = Math.round(performance.now() - startMs);
        say(`VPN over ${subnet} in table ${table}: seen after ${tookMs} ms`);
        assert.match(await page(laptop, java), /EdgyCorp/);
        assert.equal(await page(laptop, real!), ownAnswer);
        const { virtual_subnets: subnets } = await rootStatus(tp);
        const [service] = subnets.filter((one: { subnet: string }) =>
          one.subnet === services
        );
        assert.match(service.reason, /the host routes \S+ through vpn0/);
        assert.equal(service["stranded_flows"], 1);
        assert.match(
          await tp.ok(["status"]),
          /vpn0\); 1 flow opened before .* by its own addresses no longer/,
        );

        await networks.endVpn(subnet, { table });
        await waitFor("the real address", async () => {
          const found = await address(laptop, java);
          return found === real || found;
        }, { timeoutMs: changeMs, everyMs: 50 });
        assert.match(await page(laptop, java), /EdgyCorp/);
        assert.match(
          await page(laptop, virtual),
          /EdgyCorp/,
        );
      });
    }
    assert.equal(await session.ask("select 'still here'"), "still here");
  } finally {
    await session[Symbol.asyncDispose]();
  }
  await tp.ok(["quit"]);
  assertSameState(await laptop.snapshot(), before);
});

Deno.test("--allow-conflicting-subnets, --vnat and --proxy-via do as they say", async (t) => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using networks = await HostNetworks.open(laptop);
  const [real] = await serviceIps(cluster, "verylargejavaservice");
  await networks.vpn(services);
  const tp = new Tp(laptop);
  const before = await laptop.snapshot();
  await t.step("the cluster goes before the VPN", async () => {
    await using _ = await tp.connected(
      ["--allow-conflicting-subnets", `${services},172.30.0.0/16`],
    );
    assert.equal(await address(laptop, java), real);
    assert.match(await page(laptop, real!), /EdgyCorp/);
    assert.deepEqual((await rootStatus(tp))["virtual_subnets"], []);
  });
  for (const flags of [["--vnat", "pods"], ["--proxy-via", "pods=local"]]) {
    await t.step(`${flags.join(" ")}: virtual without a conflict`, async () => {
      await using _ = await tp.connected(flags);
      const { virtual_subnets: subnets } = await rootStatus(tp);
      const reasons = subnets.map((one: { reason: string }) => one.reason);
      const asked = "asked for by --vnat or --proxy-via";
      assert.ok(reasons.includes(asked), reasons.join());
      const other = await tp.fails(["connect", "--vnat", "service"]);
      assert.match(other, /^tp: Cannot connect with other subnet settings/);
    });
  }
  await t.step(
    "what means nothing is refused, and nothing is left",
    async () => {
      const refused: [flag: string, text: string, cause: RegExp][] = [
        [
          "--proxy-via",
          "all=/web",
          /Cannot use "all=\/web": "\/web" is no work/,
        ],
        [
          "--vnat",
          "pods,10.0.0.0/40",
          /Cannot use "10\.0\.0\.0\/40": it is no/,
        ],
      ];
      for (const [flag, text, cause] of refused) {
        const { code, stderr } = await tp.run(["connect", flag, text]);
        assert.equal(code, 2, stderr);
        assert.match(stderr, new RegExp(`^tp: ${flag}: ${cause.source}`));
      }
    },
  );
  assertSameState(await laptop.snapshot(), before);
});

Deno.test("a host without IPv6 is told no address that it has no way to", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await laptop.run(["sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1"]);
  const tp = new Tp(laptop);
  const before = await laptop.snapshot();
  await tp.ok(["connect"]);
  const [, real6] = await serviceIps(cluster, "postgres");
  assert.match(real6!, /^fd00:96::/);
  const { stdout } = await laptop.run(
    ["dig", "+time=3", "+tries=1", "postgres.default", "AAAA"],
  );
  assert.match(stdout, /status: NOERROR/);
  assert.match(stdout, /ANSWER: 0/);
  await using session = await DatabaseSession.open(laptop);
  assert.equal(await session.ask("select 4"), "4");
  assert.match(
    await tp.ok(["status"]),
    /Not routed: +fd00:96::\/112 \(this host has no IPv6\)/,
  );
  await session[Symbol.asyncDispose]();
  await tp.ok(["quit"]);
  assertSameState(await laptop.snapshot(), before);
});
