/** A nameserver that is silent or slow, the host's or the cluster's, and whom it keeps waiting. */
import assert from "node:assert/strict";
import {
  accounts,
  Laptop,
  must,
  openCluster,
  outside,
  say,
} from "../cluster/mod.ts";
import { dnsServedTo } from "../support/cluster_dns.ts";
import { writeLaptopFile } from "../support/kubeconfig_file.ts";
import { startScript } from "../support/laptop_script.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";

/** What nobody has to wait for is answered within this, on a busy machine too. */
const promptMs = 900;
/** The same of what the host is asked first, which is silent. */
const searchedMs = 3_000;

/** What a program finds, and how long it took. */
async function lookUp(laptop: Laptop, name: string) {
  const startedMs = performance.now();
  const command = ["timeout", "20", "getent", "ahosts", name];
  const { stdout } = await laptop.run(command);
  const ms = performance.now() - startedMs;
  return {
    addresses: stdout.split("\n").map((line) => line.split(/\s/)[0]!),
    ms,
  };
}

/** What is said to a query over TCP, which resolvers wait for without end. */
async function dig(laptop: Laptop, name: string) {
  const startedMs = performance.now();
  const { stdout } = await laptop.run([
    ...["dig", "+tcp", "+time=20", "+tries=1", "+noall", "+comments", name],
  ]);
  const ms = performance.now() - startedMs;
  return { code: /status: (\w+)/.exec(stdout)?.[1] ?? "silence", ms };
}

/** Loses what a nameserver answers to this laptop, within the scope. */
async function silence(
  laptop: Laptop,
  nameserver: string,
): Promise<AsyncDisposable> {
  const rules = `table inet silent {
  chain in {
    type filter hook input priority filter;
    ip saddr ${nameserver} udp sport 53 drop
    ip saddr ${nameserver} tcp sport 53 drop
  }
}`;
  await must(laptop.command(["nft", "-f", "-"]), { stdin: rules });
  return {
    [Symbol.asyncDispose]: async () => {
      await must(laptop.command(["nft", "delete", "table", "inet", "silent"]));
    },
  };
}

Deno.test("names of the cluster do not wait for a nameserver of the host that is silent", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  await using _ = await tp.connected(["--namespace", "default"]);
  const name = "verylargejavaservice";
  const { stdout: address } = await cluster.kubectl([
    ...["get", "service", name, "-o", "jsonpath={.spec.clusterIP}"],
  ]);
  await using _silence = await silence(laptop, outside.dns.ipv4);
  const ends = [".default", ".default.svc", ".default.svc.cluster.local", ""];
  for (const end of ends) {
    const found = await lookUp(laptop, name + end);
    say(`${name}${end}: ${found.ms.toFixed(0)} ms`);
    assert.ok(found.addresses.includes(address), name + end);
    // Of a single label the host is asked first, in each domain of its search list.
    const limitMs = end === "" ? searchedMs : promptMs;
    assert.ok(found.ms < limitMs, `${name}${end} took ${found.ms} ms`);
  }
});

Deno.test("names of the outside do not wait for a cluster's DNS that is silent, and who asks it waits as long as dns.lookupTimeout says, all who ask the same together", async () => {
  const cluster = await openCluster();
  if (!cluster.isBed) return;
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  await using place = await managerPlace(cluster);
  await tp.ok(["install", ...place.flag]);
  const address = laptop.clusterLink.ipv4;
  await using _open = await laptop.openToCluster();
  await using nameserver = startScript(laptop, "slow_dns_script.ts", [address]);
  assert.equal(await nameserver.nextLine(), "ready");
  await dnsServedTo(cluster, place.namespace, [address]);

  const settings = `${accounts.root.home}/.config/tp`;
  await must(laptop.command(["mkdir", "-p", settings]));
  const connected = async (seconds: number) => {
    const setting = `dns: { lookupTimeout: ${seconds}s }\n`;
    await writeLaptopFile(laptop, `${settings}/config.yml`, setting);
    return await tp.connected([...place.flag, "--namespace", "default"]);
  };
  const assertPatience = async (seconds: number) => {
    const [answered, silent] = await Promise.all([
      dig(laptop, "wait-5000.default.svc.cluster.local"),
      dig(laptop, "never.default.svc.cluster.local"),
    ]);
    const text = ({ code, ms }: typeof silent) =>
      `${code} in ${ms.toFixed()} ms`;
    say(
      `lookupTimeout ${seconds} s: an answer after 5 s: ${text(answered)}; ` +
        `none: ${text(silent)}`,
    );
    assert.equal(answered.code, seconds > 5 ? "NOERROR" : "SERVFAIL");
    assert.equal(silent.code, "SERVFAIL");
    for (
      const [ms, wantedMs] of [
        [answered.ms, Math.min(5, seconds) * 1000],
        [silent.ms, seconds * 1000],
      ] as const
    ) assert.ok(ms >= wantedMs - 50 && ms < wantedMs + 2_000, `${ms} ms`);
  };
  {
    await using _ = await connected(2);
    await assertPatience(2);
  }
  await using _ = await connected(8);
  await assertPatience(8);

  const status = async () =>
    JSON.parse(await tp.ok(["status", "--output", "json"]));
  const { root_daemon: { dns }, traffic: earlier } = await status();
  const equal = "wait-300.equal.svc.cluster.local";
  await using script = startScript(laptop, "equal_questions_script.ts", [
    ...[dns.vif_address, equal, "100"],
  ]);
  const told = JSON.parse(await script.nextLine());
  assert.equal(told["silence"], undefined, JSON.stringify(told));
  await script.end();
  const { traffic } = await status();
  const last = "last.equal.svc.cluster.local";
  await dig(laptop, last);
  const asked: string[] = [];
  do asked.push(await nameserver.nextLine()); while (asked.at(-1) !== last);
  const times = asked.filter((name) => name === equal).length;
  const joined = traffic.dns_joined - earlier.dns_joined;
  say(
    `100 equal questions: ${joined} joined, the cluster was asked ${times} x`,
  );
  assert.equal(times, 1);
  assert.equal(joined, 99);

  await nameserver.tell("enough");
  while (await nameserver.nextLine() !== "silent");
  // Many wait for the cluster meanwhile, so that what they hold is held.
  const many = Array.from(
    { length: 40 },
    (_, i) => dig(laptop, `never.ns-${i}.svc.cluster.local`),
  );
  const outsiders = [outside.name, outside.alias, "outside", "absent.test"];
  for (const name of outsiders) {
    const found = await lookUp(laptop, name);
    say(`${name}: ${found.ms.toFixed(0)} ms`);
    const isThere = found.addresses.includes(outside.web.ipv4);
    assert.equal(isThere, name !== "absent.test", name);
    assert.ok(found.ms < promptMs, `${name} took ${found.ms} ms`);
  }
  const answers = await Promise.all(many);
  assert.ok(answers.every(({ code }) => code === "SERVFAIL"));
});
