/** Protocols through the whole way, laptop, tunnel, manager, pod: what a pod sees of another one is what a laptop sees. */
import assert from "node:assert/strict";
import {
  type Cluster,
  Laptop,
  must,
  openCluster,
  passTime,
  say,
  setLaptopClock,
  waitFor,
} from "../cluster/mod.ts";
import { type Edges, nobodyNear, openEdges } from "../support/edges.ts";
import { footprint } from "../support/footprint.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerState } from "../support/manager_pods.ts";
import { ownProcesses } from "../support/own_processes.ts";
import { peakMiB } from "../support/pod_memory.ts";
import { assertSameState } from "../support/same_state.ts";

/** A soak has a million. */
const flows = Number(Deno.env.get("TP_TEST_UDP_FLOWS") ?? 40_000);

const megabyte =
  "457ba599f3b066bf90934e59de40a8a49c280a72e1ecbfc5297f8af870406996";

/** Of the file that the pod serves by TFTP. */
const tftpFile =
  "6d89b2c15676a4c33da7d0e877a6874bf63c2e3cc7000ae84c5531379fce0e41";

/** What a pod sees; so that the cases are known to be what they are called. */
const outcomes = (largest: number) => ({
  "closed port": "connection refused",
  "nobody's address": "no route to host",
  "reset": "connection reset by peer",
  "reset-by-client": "connection reset by peer",
  "half-by-client": megabyte,
  "half-by-server": megabyte,
  "both-at-once": "end and end",
  "zero-window": "stopped true, whole true",
  "zero-window-of-client": "whole true",
  "UDP of all sizes": `${largest} echoed, one more: message too long`,
  "UDP in pieces out of order": largest === 65_507
    ? "4000 octets, equal true"
    : "IPv4 only",
  "UDP from another port": "here, heard you, from another port",
  "UDP from one port": "seen at 1",
  "closed UDP port": "connection refused connection refused",
  "UDP to nobody's address": "silence",
});

async function traffic(tp: Tp): Promise<Record<string, number>> {
  return JSON.parse(await tp.ok(["status", "--output", "json"])).traffic;
}

async function compare(
  { edges, laptop }: { edges: Edges; laptop: Laptop },
  family: 0 | 1,
): Promise<void> {
  const host = edges.servers[family];
  const args = ["ask", "-host", host, "-nobody", nobodyNear(host)];
  const [pod, told] = await Promise.all([
    edges.inPod(args),
    edges.onLaptop(laptop, args),
  ]);
  assert.deepEqual(pod, outcomes([65_507, 65_527][family]!), "in the pod");
  assert.deepEqual(told, pod, "on the laptop");
}

/** Has the laptop's link, and the device of tp, take packets of that size; a megabyte and the largest datagram must come. */
async function comesThrough(
  { edges, laptop, mtu }: { edges: Edges; laptop: Laptop; mtu: number },
): Promise<void> {
  const [host] = edges.servers;
  await laptop.setMtu(mtu);
  const { stdout: route } = await laptop.run(
    ["ip", "-json", "route", "get", host],
  );
  const [{ dev }] = JSON.parse(route);
  await must(laptop.command(["ip", "link", "set", dev, "mtu", `${mtu}`]));
  const { stdout } = await laptop.run([
    ...["bash", "-o", "pipefail", "-c"],
    `curl -sSf -m 20 http://${host}:5004/bytes/1048576 | sha256sum`,
  ]);
  assert.equal(stdout.split(" ")[0], megabyte, `MTU ${mtu}`);
  const only = "UDP of all sizes";
  const told = await edges.onLaptop(
    laptop,
    ["ask", "-host", host, "-only", only],
  );
  assert.deepEqual(told, { [only]: outcomes(65_507)[only] }, `MTU ${mtu}`);
}

Deno.test("a laptop sees of a pod what a pod sees, at the edges of TCP and UDP, and QUIC passes", async (t) => {
  const cluster = await openCluster();
  await using edges = await openEdges(cluster);
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const before = await laptop.snapshot();
  await tp.ok(["connect"]);
  const both = { edges, laptop };
  await t.step("IPv4", () => compare(both, 0));
  await t.step("IPv6", () => compare(both, 1));
  await t.step(
    "UDP refused is counted, and traceroute ends at the pod",
    async () => {
      assert.ok((await traffic(tp)).udp_refused! >= 4);
      const [host] = edges.servers;
      const { stdout } = await laptop.run(
        ["traceroute", "-n", "-q", "1", "-w", "3", "-m", "6", host],
      );
      const hops = stdout.trim().split("\n").slice(1);
      assert.match(hops[1] ?? "", new RegExp(`^ 2  ${host}  `), stdout);
    },
  );
  await t.step(
    "TFTP, whose server answers from a port of its own",
    async () => {
      for (const host of edges.servers) {
        const at = host.includes(":") ? `[${host}]` : host;
        const { stdout } = await laptop.run([
          ...["bash", "-o", "pipefail", "-c"],
          `curl -sS -m 20 tftp://${at}/a-file | sha256sum`,
        ]);
        assert.equal(stdout.split(" ")[0], tftpFile, host);
      }
    },
  );
  await t.step("100 MB by QUIC, and 10 MB back", async () => {
    const size = ["-size", `${100 << 20}`];
    const told = await edges.onLaptop(
      laptop,
      ["quic", "-host", edges.servers[0], ...size],
    ) as { down: boolean; up: boolean; downMs: number; upMs: number };
    const rate = (bytes: number, ms: number) => (bytes / ms / 1e3).toFixed(1);
    say(
      `QUIC: ${rate(100 << 20, told.downMs)} MB/s down, ${
        rate(10 << 20, told.upMs)
      } MB/s up`,
    );
    assert.ok(told.down && told.up, JSON.stringify(told));
  });
  await tp.ok(["quit"]);
  await t.step("UDP from another port, in tp run", async () => {
    const only = "UDP from another port";
    const asked = ["ask", "-host", edges.servers[0], "-only", only];
    const told = await tp.ok(["run", "--", ...edges.command(asked)]);
    assert.deepEqual(JSON.parse(told), { [only]: outcomes(65_507)[only] });
  });
  assertSameState(await laptop.snapshot(), before);
});

Deno.test("whatever the MTU of the link and of the device, all comes", async (t) => {
  const cluster = await openCluster();
  await using edges = await openEdges(cluster);
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const before = await laptop.snapshot();
  const step = (mtu: number) =>
    t.step(`${mtu}`, () => comesThrough({ edges, laptop, mtu }));
  await tp.ok(["connect"]);
  await step(1280);
  await step(9000);
  await laptop.setMtu(1500);
  await tp.ok(["quit"]);
  assertSameState(await laptop.snapshot(), before);
  // It takes IPv6 from both for good, so what is left is not compared.
  await tp.ok(["connect"]);
  await step(576);
  await tp.ok(["quit"]);
});

Deno.test("hours without a byte end no TCP connection; flows of UDP leave nothing behind", async () => {
  const cluster = await openCluster();
  await using edges = await openEdges(cluster);
  await using laptop = await Laptop.open(cluster);
  await setLaptopClock(laptop, 0);
  const tp = new Tp(laptop);
  const before = await laptop.snapshot();
  await tp.ok(["connect"]);
  const { connector } = await ownProcesses(laptop);
  const [host] = edges.servers;
  await using held = holder(laptop, edges.command(["hold", "-host", host]));
  assert.equal(await held.line(), "open");

  const ask = async (count: number) => {
    const told = await edges.onLaptop(
      laptop,
      ["flows", "-host", host, "-count", `${count}`],
      60_000 + count,
    );
    assert.deepEqual(told, { asked: count, echoed: count });
  };
  await ask(flows / 2);
  const first = await memory(cluster, connector);
  const start = performance.now();
  await ask(flows / 2);
  const seconds = (performance.now() - start) / 1000;
  const last = await memory(cluster, connector);
  say(
    `UDP: ${flows} flows, ${
      Math.round(flows / 2 / seconds)
    } a second; connector ${first.connector} MiB after half of them, ${last.connector} after all; manager at most ${first.manager}, ${last.manager}`,
  );
  assert.ok(last.connector - first.connector < 64, "the connector grows");
  assert.ok(last.manager - first.manager < 64, "the manager grows");

  const hours = 3;
  assert.ok((await traffic(tp)).udp_open_now! > 0);
  await passTime(laptop, hours * 3600);
  await waitFor("flows end", async () => {
    const { udp_open_now } = await traffic(tp);
    return udp_open_now === 0 || `${udp_open_now} are open`;
  }, { timeoutMs: 20_000 });
  await held.tell("still there?");
  assert.equal(await held.line(), "still there?");
  const { session } = await managerState(tp);
  assert.equal(session.former_sessions, 0);
  await ask(10);
  await held[Symbol.asyncDispose]();
  await tp.ok(["quit"]);
  await must(laptop.command(["rm", "/etc/clock-passed"]));
  assertSameState(await laptop.snapshot(), before);
});

/** A program that prints a line for each that it is told. */
function holder(laptop: Laptop, command: string[]) {
  const child = laptop.spawn(command, { stdin: "piped", stdout: "piped" });
  const writer = child.stdin.getWriter();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let hasEnded = false;
  return {
    tell: (line: string) => writer.write(new TextEncoder().encode(`${line}\n`)),
    line: async () => (await reader.read()).value?.trim(),
    async [Symbol.asyncDispose]() {
      if (hasEnded) return;
      hasEnded = true;
      await writer.close().catch(() => {});
      await reader.cancel();
      await child.status;
    },
  };
}

async function memory(cluster: Cluster, connector: number) {
  const { rssBytes } = await footprint(connector);
  return {
    connector: Math.round(rssBytes / 2 ** 20),
    manager: await peakMiB(cluster, {
      namespace: "ambassador",
      selector: "app.kubernetes.io/name=traffic-manager",
      container: "traffic-manager",
    }),
  };
}
