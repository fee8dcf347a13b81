/** `tp connect` on a laptop whose resolver is systemd-resolved. */
import assert from "node:assert/strict";
import { Laptop, openCluster, outside } from "../cluster/mod.ts";
import { askToConnect } from "../support/asked_connector.ts";
import { Tp } from "../support/laptop_tp.ts";
import { type OwnProcesses, ownProcesses } from "../support/own_processes.ts";
import { assertSameState } from "../support/same_state.ts";
import { eventually } from "./daemon_connected.ts";
import { lookUp, type OwnHost, ownHost } from "./own_host.ts";
import {
  linkDomains,
  reasons,
  startResolved,
  type Way,
} from "./resolved_host.ts";

const service = "verylargejavaservice";

interface Place {
  laptop: Laptop;
  host: OwnHost;
  tp: Tp;
  /** The address of {@link service}, which no nameserver of the host's knows. */
  address: string;
}

/** A test on such a laptop, before it is connected; it has to leave the laptop as it was. */
function resolvedTest(
  name: string,
  way: Way,
  run: (place: Place) => Promise<void>,
): void {
  Deno.test(`a laptop with systemd-resolved (${way}): ${name}`, async () => {
    const cluster = await openCluster();
    await using laptop = await Laptop.open(cluster);
    const host = ownHost(laptop);
    await using _ = await startResolved(host, way, outside.dns.ipv4);
    const { stdout: address } = await cluster.kubectl([
      ...["get", "service", service, "-o", "jsonpath={.spec.clusterIP}"],
    ]);
    assert.equal(await lookUp(host, outside.name), outside.web.ipv4);
    const before = await laptop.snapshot();
    const tp = new Tp(laptop);
    await run({ laptop, host, tp, address });
    assertSameState(await laptop.snapshot(), before);
  });
}

for (const way of ["stub", "nss"] as const) {
  resolvedTest("every form of a name leads to the service", way, async ({
    laptop,
    host,
    tp,
    address,
  }) => {
    await tp.ok(["connect", "--namespace", "default"]);
    const forms = ["", ".default", ".default.svc", ".default.svc.cluster.local"]
      .map((end) => `${service}${end}`);
    for (const form of forms) {
      assert.equal(await lookUp(host, form), address, form);
    }
    const page = await laptop.run([
      ...["curl", "-sS", "-m", "10", `${service}.default:8080`],
    ]);
    assert.match(page.stdout, /EdgyCorp/, page.stderr);
    assert.equal(await lookUp(host, outside.name), outside.web.ipv4);
    const { root_daemon: { dns } } = JSON.parse(
      await tp.ok(["status", "--output", "json"]),
    );
    assert.equal(dns.edge, "systemd-resolved");
    assert.equal(dns.edge_reason, reasons[way]);
    assert.deepEqual(dns.nameservers, [outside.dns.ipv4]);
    await tp.ok(["quit"]);
    assert.equal(await lookUp(host, `${service}.default`), "");
  });
}

resolvedTest("what the user says of names counts", "stub", async ({
  laptop,
  host,
  tp,
  address,
}) => {
  const cluster = await openCluster();
  await using own = await cluster.namespace("names");
  const event = await askToConnect(laptop, {
    namespace: own.name,
    dns: {
      mappings: [
        { name: "db", aliasFor: `${service}.default` },
        { name: "db.example", aliasFor: `${service}.default` },
      ],
      servedTopLevelNamespaces: ["app"],
    },
  });
  assert.equal(event.event, "connected", JSON.stringify(event));
  assert.equal(await lookUp(host, "db"), address);
  assert.equal(await lookUp(host, "db.example"), address);
  assert.equal(await lookUp(host, outside.name), outside.web.ipv4);
  // A namespace that comes, and one called like a top-level domain that the user wants.
  await cluster.apply(`
apiVersion: v1
kind: Namespace
metadata: { name: app }
---
apiVersion: v1
kind: Service
metadata: { name: github, namespace: app }
spec: { ports: [{ port: 80 }] }
`);
  try {
    const isThere = async () => (await lookUp(host, "github.app")) !== "";
    await eventually(isThere, true, 5_000);
    assert.match(await linkDomains(host), / ~app( |$)/);
    assert.equal(await lookUp(host, "gitlab.app"), "");
  } finally {
    await cluster.kubectl(["delete", "namespace", "app", "--wait=false"]);
  }
  await tp.ok(["quit"]);
});

const kills: (keyof OwnProcesses)[][] = [
  ["connector"],
  ["daemon"],
  ["guard", "daemon", "connector"],
];

for (const victims of kills) {
  resolvedTest(`fails open after kill -9 of ${victims}`, "stub", async ({
    laptop,
    host,
    tp,
    address,
  }) => {
    await tp.ok(["connect"]);
    const name = `${service}.default`;
    assert.equal(await lookUp(host, name), address);
    const pids = await ownProcesses(laptop);
    for (const victim of victims) {
      Deno.kill(victim === "guard" ? -pids.guard : pids[victim], "SIGKILL");
    }
    const start = performance.now();
    assert.equal(await lookUp(host, outside.name), outside.web.ipv4);
    assert.ok(performance.now() - start < 2_000);
    await eventually(() => lookUp(host, name), "");
    await tp.ok(["connect"]);
    assert.equal(await lookUp(host, name), address);
    await tp.ok(["quit"]);
  });
}
