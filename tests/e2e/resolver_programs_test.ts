/** `tp connect` on a laptop where another program tells of nameservers, and goes on doing so. */
import assert from "node:assert/strict";
import { Laptop, openCluster, outside } from "../cluster/mod.ts";
import { Tp } from "../support/laptop_tp.ts";
import { ownProcesses } from "../support/own_processes.ts";
import { assertSameState } from "../support/same_state.ts";
import { eventually } from "./daemon_connected.ts";
import { lookUp, ownHost } from "./own_host.ts";
import {
  networkManager,
  networkManagerWithResolved,
  openresolv,
  resolvconf,
  type ResolverProgram,
} from "./resolver_programs.ts";

const service = "verylargejavaservice";
/** The office has two nameservers that know the same. */
const [first, second] = [outside.dns.ipv4, outside.dns.ipv6];

const programs: Record<string, ResolverProgram> = {
  openresolv,
  resolvconf,
  NetworkManager: networkManager,
  "NetworkManager and systemd-resolved": networkManagerWithResolved,
};

for (const [name, program] of Object.entries(programs)) {
  Deno.test(`a laptop with ${name}: what it says is followed, and stays`, async () => {
    const cluster = await openCluster();
    await using laptop = await Laptop.open(cluster);
    const host = ownHost(laptop);
    await using _ = await program.start(host);
    const tell = async (nameserver: string) => {
      await program.tell(host, nameserver);
      await eventually(async () => {
        const text = await host.sh(`cat ${program.file}`);
        return text.includes(`nameserver ${nameserver}\n`);
      }, true);
    };
    const { stdout: address } = await cluster.kubectl([
      ...["get", "service", service, "-o", "jsonpath={.spec.clusterIP}"],
    ]);
    const tp = new Tp(laptop);
    const dns = async () =>
      JSON.parse(await tp.ok(["status", "--output", "json"])).root_daemon.dns;
    const assertNames = async () => {
      for (const end of ["", ".default", ".default.svc.cluster.local"]) {
        assert.equal(await lookUp(host, service + end), address);
      }
      assert.equal(await lookUp(host, outside.name), outside.web.ipv4);
    };

    await tell(second);
    const state = async () =>
      (await laptop.snapshot()).split("\n")
        .filter((line) => !program.ownFiles?.test(line)).join("\n");
    const wanted = await host.sh("cat /etc/resolv.conf");
    const before = await state();
    await tell(first);
    await tp.ok(["connect", "--namespace", "default"]);
    await assertNames();
    const { edge, edge_reason, nameservers } = await dns();
    assert.deepEqual(
      { edge, edge_reason, nameservers },
      {
        ...{ edge: program.edge, edge_reason: program.reason },
        nameservers: [first],
      },
    );

    await tell(second);
    await eventually(() => lookUp(host, service), address);
    await eventually(async () => (await dns()).nameservers, [second], 5_000);
    await assertNames();
    // It writes the same anew, as it does when a lease is renewed.
    await tell(second);
    await eventually(() => lookUp(host, service), address);

    const { daemon } = await ownProcesses(laptop);
    Deno.kill(daemon, "SIGKILL");
    await eventually(() => host.sh("cat /etc/resolv.conf"), wanted);
    assert.equal(await lookUp(host, outside.name), outside.web.ipv4);
    await tp.ok(["connect", "--namespace", "default"]);
    await assertNames();
    await tp.ok(["quit"]);
    assertSameState(await state(), before);
  });
}
