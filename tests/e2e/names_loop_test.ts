/** A cluster whose DNS asks the laptop for what it does not know, as that of a cluster on the laptop does. */
import assert from "node:assert/strict";
import { Laptop, openCluster, outside, say, waitFor } from "../cluster/mod.ts";
import { dnsServedTo, ownDns } from "../support/cluster_dns.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";

Deno.test("a cluster that asks the laptop what it does not know gets the host's answer, and no question goes in circles", async () => {
  const cluster = await openCluster();
  if (!cluster.isBed) return;
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  await using own = await cluster.namespace("names");
  const upstream = laptop.clusterLink.ipv4;
  const namespace = own.name;
  await using dns = await ownDns(cluster, {
    namespace,
    rules: `forward . ${upstream}`,
  });
  await using place = await managerPlace(cluster);
  await tp.ok(["install", ...place.flag]);
  await dnsServedTo(cluster, place.namespace, [dns.address]);
  await using _open = await laptop.openToCluster();
  await using _ = await tp.connected([
    ...[...place.flag, "--namespace", namespace],
  ]);
  const status = async () =>
    JSON.parse(await tp.ok(["status", "--output", "json"]));
  const { root_daemon: { dns: { vif_address: vif } } } = await status();

  // The laptop's own forwarder, which asks the laptop's resolver: us.
  const forwarder = laptop.spawn([
    ...["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null"],
    ...["--pid-file=", "--user=root", "--no-resolv", "--no-hosts"],
    ...["--bind-interfaces", "--cache-size=0", "--except-interface=lo"],
    ...[`--listen-address=${upstream}`, `--server=${vif}`],
  ]);
  try {
    const dig = async (...args: string[]) => {
      const startedMs = performance.now();
      const { stdout } = await laptop.run([
        ...["dig", "+time=8", "+tries=1", "+noall", "+comments", "+answer"],
        ...args,
      ]);
      const code = /status: (\w+)/.exec(stdout)?.[1] ?? "silent";
      const address = /\sA\s+(\S+)/.exec(stdout)?.[1] ?? "";
      const ms = performance.now() - startedMs;
      return { told: `${code} ${address}`.trim(), ms };
    };
    await waitFor("the way from the cluster's DNS to the laptop", async () => {
      const { told } = await dig(`@${dns.address}`, outside.name);
      return told === `NOERROR ${outside.web.ipv4}` || told;
    });
    const found = await dig("dns");
    assert.equal(found.told, `NOERROR ${dns.address}`);
    const { traffic: { dns_queries: queriesBefore } } = await status();
    const absent = ["absent", `missing.${namespace}.svc`].concat(
      `lost.${namespace}.svc.cluster.local`,
      "absent.cluster.local",
    );
    const questions = [
      ...absent.map((name) => [name]),
      ["-x", "10.96.255.254"],
      [`_http._tcp.absent.${namespace}.svc`, "SRV"],
    ];
    for (const question of questions) {
      const { told, ms } = await dig(...question);
      say(`${question.join(" ")}: ${told} in ${ms.toFixed(0)} ms`);
      assert.equal(told, "NXDOMAIN", question.join(" "));
      assert.ok(ms < 2_000, `${question.join(" ")} took ${ms} ms`);
    }
    const many = Array.from({ length: 50 }, (_, i) => `many-${i}`);
    const answers = await Promise.all(many.map((name) => dig(name)));
    assert.deepEqual([...new Set(answers.map(({ told }) => told))], [
      "NXDOMAIN",
    ]);
    const { traffic } = await status();
    const asked = questions.length + many.length;
    const answered = traffic.dns_queries - queriesBefore;
    say(`${asked} questions, ${answered} arrived, ${traffic.dns_loops} loops`);
    assert.equal(traffic.dns_loops, asked);
    // Each comes back once, and with it a probe or more; in a circle it would come back without end.
    assert.ok(answered <= 8 * asked, `${answered} queries`);
  } finally {
    forwarder.kill("SIGKILL");
    await forwarder.status;
  }
});
