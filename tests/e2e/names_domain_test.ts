/** A cluster whose domain is its admin's choice, and whose pods have a nameserver that does not answer, and one that does. */
import assert from "node:assert/strict";
import { Laptop, openCluster, say } from "../cluster/mod.ts";
import { dnsServedTo, ownDns } from "../support/cluster_dns.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";
import { digRecord } from "../support/reached.ts";
import { deploySmall } from "../support/small_workloads.ts";

const domain = "k8s.corp.internal";
/** An answer comes within this, on a busy machine too, once it is known which nameserver is silent. */
const promptMs = 900;
/** That there is no such name waits for the silent one, too, which may know it. */
const turnMs = 1_000;

Deno.test("a cluster's domain is found out: its names end in it in full, and lead to its services, also where the first nameserver is silent", async () => {
  const cluster = await openCluster();
  if (!cluster.isBed) return;
  await using own = await cluster.namespace("names");
  const namespace = own.name;
  await deploySmall(cluster, namespace, { name: "web" });
  await using dns = await ownDns(cluster, {
    ...{ namespace, domain, rules: "log", isLast: true },
  });
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  await using place = await managerPlace(cluster);
  await tp.ok(["install", ...place.flag]);
  const silent = laptop.clusterLink.ipv4; // pods do not reach it
  await dnsServedTo(cluster, place.namespace, [silent, dns.address], {
    domain,
  });
  await using _ = await tp.connected([
    ...[...place.flag, "--namespace", namespace],
  ]);

  const { root_daemon: { dns: status } } = JSON.parse(
    await tp.ok(["status", "--output", "json"]),
  );
  assert.equal(status.cluster_domain, domain);
  const { stdout: ip } = await cluster.kubectl([
    ...["get", "service", "web", `--namespace=${namespace}`],
    "--output=jsonpath={.spec.clusterIP}",
  ]);
  const dig = async (...args: string[]) => {
    const types = ["A", "PTR", "SRV"];
    const { code, data = "" } = await digRecord(laptop, types, args);
    return `${code} ${data}`.trim();
  };
  const full = `web.${namespace}.svc.${domain}`;
  const questions: [question: string[], answer: string][] = [
    ...["web", `web.${namespace}`, `web.${namespace}.svc`, full].map((
      name,
    ) => [[name], `NOERROR ${ip}`] as [string[], string]),
    [["-x", ip], `NOERROR ${full}.`],
    [
      ["SRV", `_http._tcp.web.${namespace}.svc`],
      `NOERROR 0 100 80 ${full}.`,
    ],
    [[`absent.${namespace}.svc.${domain}`], "NXDOMAIN"],
    // The usual domain is nobody's here.
    [[`web.${namespace}.svc.cluster.local`], "NXDOMAIN"],
  ];
  for (const [i, [question, answer]] of questions.entries()) {
    const startedMs = performance.now();
    assert.equal(await dig(...question), answer, question.join(" "));
    const ms = performance.now() - startedMs;
    say(`${question.join(" ")}: ${answer} in ${ms.toFixed()} ms`);
    const waitMs = i === 0 || answer === "NXDOMAIN" ? turnMs : 0;
    assert.ok(ms < waitMs + promptMs, `${question.join(" ")}: ${ms} ms`);
  }
  for (const name of ["web", full]) {
    const { stdout, stderr } = await laptop.run(
      ["curl", "-sS", "-m", "10", `http://${name}/`],
    );
    assert.match(stdout, /\bweb\b/, name + stderr);
  }
  const { stdout: log } = await cluster.kubectl([
    ...["logs", "deployment/dns", `--namespace=${namespace}`],
  ]);
  const asked = log.match(/(?<="\w+ IN )\S+(?=\. )/g) ?? [];
  const names = [...new Set(asked.map((name) => name.toLowerCase()))];
  say(`the cluster was asked for ${names.join(", ")}`);
  assert.ok(names.includes(full), log);
  assert.ok(!names.some((name) => name.endsWith("cluster.local")), log);
});
