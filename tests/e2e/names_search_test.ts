/** Names that the host's search list finds outside, and the cluster inside. */
import assert from "node:assert/strict";
import { Laptop, openCluster, say, waitFor } from "../cluster/mod.ts";
import { Tp } from "../support/laptop_tp.ts";

const nameserver = "127.0.0.2";
/** What the office's nameserver knows, each with an address of its own. */
const office = {
  "both.corp.example": "192.0.2.1",
  "printer.corp.example": "192.0.2.2",
  /** As a router at home tells of who is there. */
  "nas": "192.0.2.3",
};
/** What `/etc/hosts` says. */
const written = { "written": "192.0.2.9" };
/** No lookup takes as long as a resolver waits before it asks the next nameserver. */
const promptMs = 900;

function resolvConf(options: string): string {
  return `nameserver ${nameserver}\nsearch corp.example\noptions ${options}\n`;
}

Deno.test("a name in the host's search list stays the host's, one that only the cluster has is the cluster's, whatever ndots says", async () => {
  const cluster = await openCluster();
  await using own = await cluster.namespace("names");
  const namespace = own.name;
  const inside = ["both", "web", "written", "split"];
  await cluster.apply(
    inside.map((name) => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: ${namespace} }
spec: { ports: [{ port: 80 }] }
`).join("---"),
  );
  const { stdout } = await cluster.kubectl([
    ...["get", "services", `--namespace=${namespace}`],
    '--output=jsonpath={range .items[*]}{.metadata.name} {.spec.clusterIP}{"\\n"}{end}',
  ]);
  const ip = Object.fromEntries(
    stdout.trim().split("\n").map((line) => line.split(" ")),
  );
  await using laptop = await Laptop.open(cluster, {
    resolvConf: resolvConf("ndots:1"),
  });
  // With a dot too many for the search list's turn to come last, an office may have a name in a namespace's.
  const split = `split.${namespace}`;
  const known = { ...office, [`${split}.corp.example`]: "192.0.2.4" };
  const dnsmasq = laptop.spawn([
    ...["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null"],
    ...["--pid-file=", "--user=root", "--no-resolv", "--no-hosts"],
    ...["--bind-interfaces", `--listen-address=${nameserver}`, "--address=/#/"],
    ...Object.entries(known).map(([name, ip]) => `--host-record=${name},${ip}`),
  ]);
  try {
    const lookUp = async (name: string) => {
      const startedMs = performance.now();
      const command = ["timeout", "20", "getent", "ahosts", name];
      const { stdout } = await laptop.run(command);
      const ms = performance.now() - startedMs;
      return { address: stdout.split(/\s/)[0]!, ms };
    };
    await laptop.run(["sh", "-c", "cat >>/etc/hosts"], {
      stdin: `${written.written} written\n`,
    });
    await waitFor("the office's nameserver", async () => {
      const { address } = await lookUp("printer");
      return address === office["printer.corp.example"] || address;
    });
    const tp = new Tp(laptop);
    for (const ndots of [1, 2, 5]) {
      await laptop.writeResolvConf(resolvConf(`ndots:${ndots}`));
      await using _ = await tp.connected(["--namespace", namespace]);
      const table: Record<string, string> = {
        "both": office["both.corp.example"],
        "both.corp.example": office["both.corp.example"],
        [`both.${namespace}`]: ip["both"]!,
        [`both.${namespace}.svc`]: ip["both"]!,
        [`both.${namespace}.svc.cluster.local`]: ip["both"]!,
        "both.": ip["both"]!,
        "printer": office["printer.corp.example"],
        "nas": office["nas"],
        "written": written.written,
        [`written.${namespace}`]: ip["written"]!,
        "web": ip["web"]!,
        [`web.${namespace}`]: ip["web"]!,
        [split]: ndots > 1 ? "192.0.2.4" : ip["split"]!,
        [`${split}.svc`]: ip["split"]!,
        "nobody": "",
        [`nobody.${namespace}`]: "",
      };
      let slowest = { name: "", ms: 0 };
      for (const [name, address] of Object.entries(table)) {
        const found = await lookUp(name);
        assert.equal(found.address, address, `${name}, ndots:${ndots}`);
        if (found.ms > slowest.ms) slowest = { name, ms: found.ms };
      }
      const { name, ms } = slowest;
      say(`ndots:${ndots}: the slowest is ${name}, ${ms.toFixed()} ms`);
      assert.ok(ms < promptMs, `${name} took ${ms} ms`);
    }
  } finally {
    dnsmasq.kill("SIGKILL");
    await dnsmasq.status;
  }
});
