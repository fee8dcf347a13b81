/** A cluster of IPv6 alone, as a laptop sees it: its DNS, a Service and the pods behind it have no other addresses. */
import assert from "node:assert/strict";
import { Laptop, openCluster } from "../cluster/mod.ts";
import { dnsServedTo, ownDns } from "../support/cluster_dns.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";
import { digRecord } from "../support/reached.ts";
import { deploySmall } from "../support/small_workloads.ts";

Deno.test("a DNS that has an IPv6 address alone tells of services that have no other, and they answer by their names", async () => {
  const cluster = await openCluster();
  if (!cluster.isBed) return;
  await using own = await cluster.namespace("six");
  const namespace = own.name;
  await deploySmall(cluster, namespace, { name: "web" });
  const service = (name: string, more: string) => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: ${namespace} }
spec:
  ipFamilies: [IPv6]
  selector: { app: web }
  ports: [{ name: http, port: 80, targetPort: http }]${more}
---`;
  await cluster.apply(
    service("six", "") + service("six-bare", "\n  clusterIP: None"),
  );
  await using dns = await ownDns(cluster, {
    ...{ namespace, rules: "log", isLast: true, family: "IPv6" },
  });
  assert.match(dns.address, /^fd00:/);
  await using laptop = await Laptop.open(cluster);
  await using place = await managerPlace(cluster);
  const tp = new Tp(laptop);
  await tp.ok(["install", ...place.flag]);
  await dnsServedTo(cluster, place.namespace, [dns.address]);
  await using _ = await tp.connected(
    [...place.flag, "--namespace", namespace],
  );

  const { stdout: ip } = await cluster.kubectl([
    ...["get", "service", "six", `--namespace=${namespace}`],
    "--output=jsonpath={.spec.clusterIP}",
  ]);
  const dig = async (...args: string[]) => {
    const types = ["A", "AAAA", "PTR"];
    const { code, data = "nothing" } = await digRecord(laptop, types, args);
    return `${code} ${data}`;
  };
  for (const name of ["six", `six.${namespace}`, `six.${namespace}.svc`]) {
    assert.equal(await dig(name, "AAAA"), `NOERROR ${ip}`, name);
    assert.equal(await dig("+tcp", name, "AAAA"), `NOERROR ${ip}`, name);
    assert.equal(await dig(name, "A"), "NOERROR nothing", name);
    const { stdout } = await laptop.run(["getent", "ahosts", name]);
    assert.deepEqual([...new Set(stdout.match(/^\S+/gm))], [ip], name);
  }
  assert.equal(
    await dig("-x", ip),
    `NOERROR six.${namespace}.svc.cluster.local.`,
  );
  for (const host of ["six:80", "six-bare:8080", `[${ip}]:80`]) {
    const { stdout, stderr } = await laptop.run(
      ["curl", "-sS", "-m", "10", `http://${host}/`],
    );
    assert.match(stdout, /\bweb\b/, host + stderr);
  }
});
