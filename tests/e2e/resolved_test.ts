/** The daemon on a host whose resolver is systemd-resolved: only what is the cluster's comes to us, and all of it ends. */
import assert from "node:assert/strict";
import { eventually, hostTest, subnets } from "./daemon_connected.ts";
import { type Child, type Namespace, userId } from "./daemon_namespace.ts";
import { lookUp } from "./own_host.ts";
import {
  linkDomains,
  reasons,
  type Resolved,
  startResolved,
  type Way,
} from "./resolved_host.ts";

const cluster = "10.96.7.7";
const outside = "203.0.113.7";
const wish = "198.18.0.3,orders.svc.cluster.local,cluster.local,svc,orders";
const domains =
  "orders.svc.cluster.local ~cluster.local ~svc ~orders ~96.10.in-addr.arpa";

interface Split {
  host: Namespace;
  resolved: Resolved;
  daemon: Child;
  connector: Child;
  before: string[];
}

/** A test on a host where a connector answers for its zones. */
function splitTest(
  name: string,
  way: Way,
  run: (split: Split) => Promise<void>,
): void {
  hostTest(`systemd-resolved (${way}): ${name}`, async (host) => {
    await using _server = await host.nameserver();
    await using resolved = await startResolved(host, way);
    assert.equal(await lookUp(host, "outside.test"), outside);
    const before = await host.state();
    await using daemon = await host.daemon(userId);
    await using connector = host.connector();
    assert.equal(await connector.line(), "ready");
    assert.equal(await connector.ask(`open ${subnets}`), "device tp0");
    assert.equal(await connector.ask("serve"), "done");
    assert.equal(await connector.ask("route 10.96.0.0/16"), "done");
    const set = await connector.ask(`split ${wish}`);
    assert.equal(set, `systemd-resolved; ${reasons[way]}`);
    await run({ host, resolved, daemon, connector, before });
  });
}

for (const way of ["stub", "nss"] as const) {
  splitTest(
    "names of the cluster come to us, all others do not",
    way,
    async ({ host, connector, before }) => {
      assert.equal(await linkDomains(host), domains);
      const ours = [
        "web.orders",
        "web.orders.svc",
        "web.orders.svc.cluster.local",
      ];
      for (const name of ["web", ...ours]) {
        assert.equal(await lookUp(host, name), cluster, name);
      }
      const query = await host.read(["resolvectl", "query", "web.orders"]);
      assert.match(query, /web\.orders: 10\.96\.7\.7 .*link: tp0/);
      assert.match(await host.sh("getent hosts 10.96.7.7"), /web\.test/);
      assert.equal(
        await connector.ask("asked"),
        ["7.7.96.10.in-addr.arpa", ...ours].join(" "),
      );
      assert.equal(await lookUp(host, "outside.test"), outside);
      assert.equal(await lookUp(host, "web.elsewhere"), outside);
      assert.equal(await connector.ask("asked"), "");

      await connector.ask("close");
      await connector[Symbol.asyncDispose]();
      await eventually(() => host.state(), before);
    },
  );
}

splitTest(
  "zones follow, and those of the whole internet are refused",
  "stub",
  async ({ host, connector }) => {
    const answer = await connector.ask(
      "split 198.18.0.3,orders.svc.cluster.local,svc,com,in-addr.arpa,.,api,+dev,+local",
    );
    assert.equal(
      answer,
      `systemd-resolved; ${reasons.stub}; local; com; in-addr.arpa; .`,
    );
    assert.equal(
      await linkDomains(host),
      "orders.svc.cluster.local ~dev ~svc ~api ~96.10.in-addr.arpa",
    );
    // More than are taken, twice; together more than systemd-resolved takes of one link.
    for (const prefix of ["a", "b"]) {
      const many = Array.from({ length: 300 }, (_, n) => `${prefix}${n}`);
      const told = await connector.ask(
        `split 198.18.0.3,orders.svc.cluster.local,${many}`,
      );
      assert.match(told!, /^systemd-resolved; [^;]*; [ab]191; .*; [ab]299$/);
      assert.equal((await linkDomains(host)).split(" ").length, 193);
    }
    assert.equal(await lookUp(host, "web.b7"), cluster);
    assert.equal(await lookUp(host, "web.a7"), outside);
  },
);

splitTest(
  "a connector that hangs loses its zones, and has them back",
  "stub",
  async ({ host, connector, daemon, before }) => {
    connector.signal("SIGSTOP");
    await eventually(() => linkDomains(host), "");
    assert.equal(await lookUp(host, "web.orders"), outside);
    connector.signal("SIGCONT");
    await eventually(() => linkDomains(host), domains);
    await eventually(() => lookUp(host, "web.orders.svc"), cluster);
    // Somebody else takes them away.
    await host.read(["resolvectl", "revert", "tp0"]);
    await eventually(() => linkDomains(host), domains);

    daemon.signal("SIGKILL");
    assert.equal(await connector.line(), "ended lost");
    await connector[Symbol.asyncDispose]();
    await eventually(async () => await lookUp(host, "a.orders"), outside);
    await host.repair();
    await eventually(() => host.state(), before);
  },
);

splitTest(
  "one that starts anew without memory is told again",
  "stub",
  async ({ host, resolved, connector, before }) => {
    await resolved.restart();
    await eventually(() => linkDomains(host), domains);
    await eventually(() => lookUp(host, "web.orders"), cluster);
    assert.equal(await lookUp(host, "outside.test"), outside);
    await connector.ask("close");
    await connector[Symbol.asyncDispose]();
    await eventually(() => host.state(), before);
  },
);
