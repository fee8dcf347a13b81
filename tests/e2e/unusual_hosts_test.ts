/** Laptops that are unlike others: hundreds of interfaces, a nameserver among the cluster's addresses or of a link alone. */
import assert from "node:assert/strict";
import {
  type Cluster,
  Laptop,
  must,
  openCluster,
  outside,
  say,
  sleep,
  waitFor,
} from "../cluster/mod.ts";
import { linksSettled } from "../cluster/laptop_network.ts";
import { Ip } from "../../net/mod.ts";
import { Tp } from "../support/laptop_tp.ts";
import { LaptopUse } from "../support/laptop_use.ts";
import { ownProcesses } from "../support/own_processes.ts";
import { watchRoutes } from "../support/routed.ts";
import { assertSameState } from "../support/same_state.ts";

/** The faults are made in the bed's own network. */
const ignore = Deno.env.has("TP_TEST_KUBECONFIG");
const java = "verylargejavaservice.default";
/** How soon all works after a change of the host. */
const changeMs = 5_000;

Deno.test("500 interfaces delay neither tp connect nor a name", async () => {
  const pairs = 250;
  const connectMs = 2_000;
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const before = await laptop.snapshot();
  const plain = await measure(laptop, tp);
  assertSameState(await laptop.snapshot(), before);
  await addPairs(laptop, pairs);
  const crowdedBefore = await laptop.snapshot();
  const crowded = await measure(laptop, tp);
  assertSameState(await laptop.snapshot(), crowdedBefore);
  for (const [what, figures] of Object.entries({ plain, crowded })) {
    const words = Object.entries(figures).map(([name, n]) => `${name} ${n}`);
    say(
      `${what === "plain" ? 0 : 2 * pairs} interfaces more: ${
        words.join(", ")
      }`,
    );
  }
  // A machine that is busy is so without them, too.
  assert.ok(crowded.connectMs <= connectMs + plain.connectMs);

  await tp.ok(["connect"]);
  {
    await using use = await LaptopUse.start(laptop);
    const name = `${2 * pairs} interfaces that go`;
    const make = () =>
      ip(laptop, numbers(pairs).map((i) => `link del many${i}a`));
    await use.outlive({ name, make }, { withinMs: changeMs });
    await use.finish();
  }
  await tp.ok(["quit"]);
  assertSameState(await laptop.snapshot(), before);
});

Deno.test({
  name:
    "a nameserver of the host among services or pods stays the host's, and what has its address is reached by another",
  ignore,
  fn: async () => {
    const [first, later] = ["10.96.200.53", "10.244.200.53"];
    const name = "office.example.test";
    const cluster = await openCluster();
    await using _service = await serviceAt(cluster, first);
    await using _nameserver = await openNameserver([first, later], name);
    await using laptop = await Laptop.open(cluster, {
      resolvConf: `nameserver ${first}\n`,
    });
    const tp = new Tp(laptop);
    const before = await laptop.snapshot();
    const asking = askOnAndOn(laptop, name);
    const routes = watchRoutes(laptop);
    const connected = await tp.ok(["connect"]);
    assert.match(
      connected,
      /^Virtual addresses: 10\.96\.200\.53\/32 as .*\(a nameserver of the host has it\)/m,
    );
    assert.equal(await address(laptop, name), outside.web.ipv4);
    const virtual = await address(laptop, "clash.default");
    assert.match(virtual, /^(198\.1[89]|246\.246)\./);
    for (const host of [java, "clash.default"]) await opens(laptop, host);
    const { asked, failed } = await asking.end();
    say(
      `a nameserver among services: ${asked} outside names, ${failed} failed`,
    );
    assert.equal(failed, 0);
    const taken = (await routes.end()).filter((one) =>
      one.contains(Ip.parse(first))
    );
    assert.deepEqual(taken.map(String), []);
    {
      await using use = await LaptopUse.start(laptop);
      await use.outlive({
        name: "a nameserver among the pods",
        make: () => laptop.writeResolvConf(`nameserver ${later}\n`),
      }, { withinMs: changeMs });
      await waitFor("its way around the tunnel", async () => {
        const { stdout } = await laptop.run(["ip", "route", "get", later]);
        return !stdout.includes("dev tp0") || stdout;
      }, { timeoutMs: changeMs });
      assert.equal(await address(laptop, name), outside.web.ipv4);
      await use.finish();
    }
    await laptop.writeResolvConf(`nameserver ${first}\n`);
    await tp.ok(["quit"]);
    assertSameState(await laptop.snapshot(), before);
  },
});

Deno.test("a nameserver that is of a link alone answers names of the outside, with tp connect and tp run", async () => {
  const name = "office.example.test";
  const address = "192.0.2.1";
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const { stdout } = await laptop.run(
    ["ip", "-o", "-6", "address", "show", "dev", "eth0", "scope", "link"],
  );
  const router = `${/fe80:[^/]+/.exec(stdout)![0]}%eth0`;
  await laptop.writeResolvConf(`nameserver ${router}\n`);
  const dnsmasq = laptop.spawn([
    ...["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null"],
    ...["--pid-file=", "--user=root", "--no-resolv", "--no-hosts"],
    ...["--bind-interfaces", "--interface=eth0", "--except-interface=lo"],
    ...["--address=/#/", `--host-record=${name},${address}`],
  ]);
  try {
    const find = ["getent", "ahostsv4", name];
    await waitFor("the router's nameserver", async () => {
      const { stdout, stderr } = await laptop.run(find);
      return stdout.startsWith(address) || stdout + stderr;
    });
    const tp = new Tp(laptop);
    const before = await laptop.snapshot();
    await tp.ok(["connect"]);
    const { root_daemon: { dns } } = JSON.parse(
      await tp.ok(["status", "--output", "json"]),
    );
    assert.deepEqual(dns.nameservers, [router]);
    // A resolver would go on to the router itself where we fail.
    for (const protocol of ["+notcp", "+tcp"]) {
      const { stdout } = await laptop.run(
        ["dig", `@${dns.vif_address}`, "+short", "+tries=1", protocol, name],
      );
      assert.equal(stdout, `${address}\n`, protocol);
    }
    await opens(laptop, java);
    await tp.ok(["quit"]);
    const inside = await tp.ok(["run", "--", ...find]);
    assert.match(inside, new RegExp(`^${address} `));
    assertSameState(await laptop.snapshot(), before);
  } finally {
    dnsmasq.kill("SIGTERM");
    await dnsmasq.status;
  }
});

/** Pairs of interfaces, each with a network of its own. */
async function addPairs(laptop: Laptop, pairs: number): Promise<void> {
  const lines = numbers(pairs).flatMap((i) => [
    `link add many${i}a type veth peer name many${i}b`,
    ...["a", "b"].flatMap((end, of) => [
      `addr add 10.${128 + of}.${i}.1/24 dev many${i}${end}`,
      `addr add fd00:500:${of}:${i}::1/64 dev many${i}${end} nodad`,
      `link set many${i}${end} up`,
    ]),
  ]);
  await ip(laptop, lines);
  await linksSettled(laptop.netns);
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

async function ip(laptop: Laptop, lines: readonly string[]): Promise<void> {
  await must(laptop.command(["ip", "-batch", "-"]), {
    stdin: lines.join("\n"),
  });
}

/** Figures of connecting and being connected. */
async function measure(laptop: Laptop, tp: Tp) {
  const times: number[] = [];
  for (let i = 0; i < 3; i++) {
    const startMs = performance.now();
    await tp.ok(["connect"]);
    times.push(performance.now() - startMs);
    if (i < 2) await tp.ok(["quit"]);
  }
  const { connector } = await ownProcesses(laptop);
  const [cpuMs, startMs] = [await cpuTimeMs(connector), performance.now()];
  await opens(laptop, java);
  const asked = await laptop.run(["getent", "ahostsv4", "redis.default"]);
  assert.equal(asked.code, 0);
  await sleep(3_000);
  const usedMs = await cpuTimeMs(connector) - cpuMs;
  const share = usedMs / (performance.now() - startMs);
  const quitMs = performance.now();
  await tp.ok(["quit"]);
  return {
    connectMs: Math.round(times.toSorted((a, b) => a - b)[1]!),
    nameMs: Math.round(asked.durationMs),
    cpuPercent: Math.round(share * 100),
    quitMs: Math.round(performance.now() - quitMs),
  };
}

/** What a process has used, in user and kernel. */
async function cpuTimeMs(pid: number): Promise<number> {
  const text = await Deno.readTextFile(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

async function opens(laptop: Laptop, host: string): Promise<void> {
  const { stdout, stderr } = await laptop.run(
    ["curl", "-sS", "-m", "10", `http://${host}:8080/`],
  );
  assert.match(stdout, /EdgyCorp/, stderr);
}

async function address(laptop: Laptop, name: string): Promise<string> {
  const { stdout } = await laptop.run(["getent", "ahostsv4", name]);
  return stdout.split(" ")[0]!;
}

/** A second service of the same pods, of an address that somebody else has, too. */
async function serviceAt(
  cluster: Cluster,
  clusterIP: string,
): Promise<AsyncDisposable> {
  await cluster.apply(`
apiVersion: v1
kind: Service
metadata: { name: clash, namespace: default }
spec:
  clusterIP: ${clusterIP}
  selector: { app: verylargejavaservice }
  ports: [{ port: 8080 }]
`);
  return {
    [Symbol.asyncDispose]: () =>
      cluster.kubectl(["delete", "service", "clash"]).then(() => {}),
  };
}

/** A nameserver of the outside that has these addresses, and knows one name. */
async function openNameserver(
  addresses: readonly string[],
  name: string,
): Promise<AsyncDisposable> {
  const inOutside = ["nsenter", `--net=/run/netns/${outside.netns}`, "--"];
  const change = async (verb: "add" | "del") => {
    for (const one of addresses) {
      await must([...inOutside, "ip", "addr", verb, `${one}/32`, "dev", "lo"]);
    }
  };
  await change("add");
  const [program, ...args] = [
    ...[...inOutside, "dnsmasq", "--keep-in-foreground"],
    ...["--conf-file=/dev/null", "--pid-file=", "--user=root", "--no-resolv"],
    ...["--no-hosts", "--bind-interfaces", "--address=/#/"],
    ...addresses.map((one) => `--listen-address=${one}`),
    `--host-record=${name},${outside.web.ipv4}`,
    `--host-record=${outside.name},${outside.web.ipv4}`,
  ];
  const child = new Deno.Command(program!, { args }).spawn();
  return {
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      await child.status;
      await change("del");
    },
  };
}

/** Resolves a name again and again. */
function askOnAndOn(laptop: Laptop, name: string) {
  let isOver = false;
  const counts = { asked: 0, failed: 0 };
  const asking = (async () => {
    while (!isOver) {
      counts.asked++;
      if (await address(laptop, name) === "") counts.failed++;
    }
  })();
  return {
    end: async () => {
      isOver = true;
      await asking;
      return counts;
    },
  };
}
