/** ICMP into the cluster: what is asked there is answered from there. */
import assert from "node:assert/strict";
import { type Cluster, Laptop, openCluster } from "../cluster/mod.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";

/** The addresses, IPv4 first, of a pod of `kube-system` that answers names. */
async function dnsPod(cluster: Cluster): Promise<[v4: string, v6: string]> {
  const { stdout } = await cluster.kubectl([
    ...["get", "pod", "-n", "kube-system", "-l", "k8s-app=kube-dns"],
    ...["-o", "jsonpath={.items[0].status.podIPs[*].ip}"],
  ]);
  const [v4, v6] = stdout.trim().split(" ");
  return [v4!, v6!];
}

Deno.test("ping and traceroute reach pods, whose own DNS answers, and nothing is left", async (t) => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const [v4, v6] = await dnsPod(cluster);
  const ping = (...args: string[]) =>
    laptop.run(["ping", "-n", "-i", "0.1", "-W", "3", ...args]);
  await using _ = await tp.connected();
  const sizes = [0, 56, 1400, 1473, 20_000];
  for (const [family, ip] of [["-4", v4], ["-6", v6]] as const) {
    await t.step(`ping ${family} of a pod, with up to 20 kB`, async () => {
      for (const size of sizes) {
        const { stdout, stderr } = await ping(
          ...[family, "-c", "3", "-s", `${size}`, ip],
        );
        assert.match(stdout, / 3 received, 0% packet loss/, stdout + stderr);
        assert.match(
          stdout,
          new RegExp(`^${size + 8} bytes from ${ip}`, "m"),
        );
        assert.doesNotMatch(stdout, /wrong data|DUP|CHECKSUM/i);
      }
    });
    await t.step(`traceroute ${family} of a pod has two hops`, async () => {
      const { stdout } = await laptop.run(
        ["traceroute", family, "-I", "-n", "-q", "1", "-m", "6", ip],
      );
      const hops = stdout.trim().split("\n").slice(1);
      assert.equal(hops.length, 2, stdout);
      assert.match(hops[1]!, new RegExp(`^ 2  ${ip}  [\\d.]+ ms$`));
    });
  }
  await t.step(
    "nobody answers for a Service, nor for an address that nobody has",
    async () => {
      const { stdout: service } = await cluster.kubectl([
        ...["get", "service", "kubernetes", "-n", "default"],
        ...["-o", "jsonpath={.spec.clusterIP}"],
      ]);
      const nobody = v4.replace(/\d+$/, "254");
      for (const ip of [service.trim(), nobody]) {
        const { stdout, code } = await ping("-c", "2", "-w", "2", ip);
        assert.equal(code, 1, stdout);
        assert.match(stdout, / 0 received/);
      }
    },
  );
  await t.step(
    "a flood is bounded, and what comes too fast is counted",
    async () => {
      const { stdout } = await laptop.run(
        ["ping", "-n", "-q", "-i", "0.001", "-c", "400", "-W", "2", v4],
      );
      const received = Number(/ (\d+) received/.exec(stdout)![1]);
      assert.ok(received >= 100 && received < 400, stdout);
      const { traffic } = JSON.parse(
        await tp.ok(["status", "--output", "json"]),
      );
      assert.ok(traffic.echo_dropped > 0, stdout);
      assert.equal(traffic.echo_unsupported, 0);
      assert.equal(traffic.expired, 2);
    },
  );
  await t.step("a pod's own DNS is asked, by UDP and TCP", async () => {
    const name = "kubernetes.default.svc.cluster.local";
    for (const flag of ["+notcp", "+tcp"]) {
      const { stdout } = await laptop.run(
        ["dig", "+short", "+time=5", flag, `@${v4}`, name],
      );
      assert.match(stdout, /^\d+\.\d+\.\d+\.\d+$/m);
    }
  });
});

Deno.test("tp run: ping of a pod is answered inside, by a user without root", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop, { user: "tp-test" });
  const [v4] = await dnsPod(cluster);
  const { stdout, stderr } = await tp.run(
    ["run", "--", "ping", "-n", "-c", "2", "-i", "0.2", "-W", "3", v4],
  );
  assert.match(stdout, / 2 received, 0% packet loss/, stdout + stderr);
});

Deno.test("a manager whose node lets it not ping answers none, and tp status says so", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using place = await managerPlace(cluster);
  const tp = new Tp(laptop);
  await tp.ok(["install", ...place.flag]);
  const manager = "statefulset/traffic-manager";
  const sysctls = [{ name: "net.ipv4.ping_group_range", value: "1 0" }];
  const { code, stderr } = await cluster.kubectl([
    ...["patch", manager, `--namespace=${place.namespace}`, "--patch"],
    JSON.stringify({
      spec: { template: { spec: { securityContext: { sysctls } } } },
    }),
  ]);
  assert.equal(code, 0, stderr);
  await cluster.rolledOut(manager, { namespace: place.namespace });
  await using _ = await tp.connected([...place.flag]);
  const pods = await dnsPod(cluster);
  for (const ip of pods) {
    const { stdout } = await laptop.run(
      ["ping", "-n", "-c", "1", "-W", "1", ip],
    );
    assert.match(stdout, / 0 received/);
  }
  const { traffic } = JSON.parse(await tp.ok(["status", "--output", "json"]));
  assert.equal(traffic.echo_unsupported, pods.length);
  assert.match(
    await tp.ok(["status"]),
    /^ +Ping: +no answers \(the manager may not send ICMP echo requests\)$/m,
  );
});
