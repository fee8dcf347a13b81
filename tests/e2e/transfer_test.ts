/** Bytes: many, in both directions, in parallel, by real programs; and refusals that are the service's own. */
import assert from "node:assert/strict";
import { Laptop, openCluster, say, waitFor } from "../cluster/mod.ts";
import { footprint } from "../support/footprint.ts";
import { startScript } from "../support/laptop_script.ts";
import { Tp } from "../support/laptop_tp.ts";
import { ownProcesses } from "../support/own_processes.ts";

const gibibyte = 1024 ** 3;
const bodyUrl = `http://bench.default:5004/bytes/${gibibyte}`;

Deno.test("a body of 1 GiB arrives with the same SHA-256 in both directions", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  await using _ = await tp.connected();
  const bash = (script: string) =>
    laptop.run(["bash", "-o", "pipefail", "-c", script], {
      timeoutMs: 320_000,
    });

  const down = await bash(
    `curl -sSf -m 300 -D /dev/stderr ${bodyUrl} | sha256sum`,
  );
  const expected = /^x-sha256: ([0-9a-f]{64})/im.exec(down.stderr)?.[1];
  assert.ok(expected, down.stderr);
  assert.equal(down.stdout.split(" ")[0], expected);

  const up = await bash(
    `head -c ${gibibyte} /dev/urandom | tee >(sha256sum >&2) | ` +
      "curl -sSf -m 300 -T - http://bench.default:5004/",
  );
  const { bytes, sha256 } = JSON.parse(up.stdout);
  assert.equal(bytes, gibibyte);
  assert.equal(sha256, up.stderr.trim().split(" ")[0]);
});

Deno.test("2000 connections at once all succeed", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  await using _ = await tp.connected();
  const script = new URL("../support/many_connections.ts", import.meta.url);
  const { stdout, stderr } = await laptop.run([
    Deno.execPath(),
    "run",
    "-A",
    "--no-config",
    script.pathname,
    "bench.default",
    "5003",
    "2000",
  ]);
  assert.deepEqual(JSON.parse(stdout), { asked: 2000, echoed: 2000 }, stderr);
});

Deno.test("redis-cli works with a real database by its name", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  await using _ = await tp.connected();
  const redis = (...args: string[]) =>
    laptop.run(["redis-cli", "-h", "redis.default", ...args]);
  const value = crypto.randomUUID();
  assert.equal((await redis("set", "tp-test", value)).stdout, "OK\n");
  assert.equal((await redis("get", "tp-test")).stdout, `${value}\n`);
  const pipelined = await redis("eval", "return #redis.call('keys','*')", "0");
  assert.match(pipelined.stdout, /^\d+\n$/);
});

Deno.test("a closed port is refused at once, as in the cluster", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  await using _ = await tp.connected();
  const { stdout: pod } = await cluster.kubectl([
    ...["get", "pod", "-l", "app=bench"],
    ...["-o", "jsonpath={.items[0].status.podIP}"],
  ]);
  const { code, stderr, durationMs } = await laptop.run(
    ["curl", "-sS", "-m", "10", `http://${pod}:5009/`],
  );
  assert.equal(code, 7, stderr);
  assert.match(stderr, /Connection refused|Couldn't connect/);
  assert.ok(durationMs < 500, `it took ${durationMs} ms`);
});

Deno.test("an upload by iperf3 finishes, and so does its download", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  await using _ = await tp.connected();
  for (const direction of [[], ["-R"]]) {
    // The server serves one run and is then started anew; for a moment it is not there.
    await waitFor("run of iperf3", async () => {
      const { stdout, stderr } = await laptop.run(
        ["iperf3", "-c", "bench.default", "-t", "2", "-J", ...direction],
        { timeoutMs: 30_000 },
      );
      const { error, end } = JSON.parse(stdout);
      if (/refused|busy/.test(error ?? "")) return error;
      assert.equal(error, undefined, stdout + stderr);
      assert.ok(end.sum_received.bytes > 0, stdout);
      return true;
    });
  }
});

Deno.test("one of 100 connections stops reading: the other 99 lose nothing, and no memory is filled", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  await using _ = await tp.connected();
  const { connector } = await ownProcesses(laptop);
  const flows = ["bench.default", "5003", "99"];
  await using others = startScript(laptop, "echo_flows.ts", flows);
  assert.equal(await others.nextLine(), "open");
  const watch = async (seconds: number) => {
    const seen: { echoes: number; longestMs: number }[] = [];
    for (let i = 0; i < seconds; i++) {
      await others.tell("watch");
      seen.push(JSON.parse(await others.nextLine()));
    }
    return seen;
  };
  const before = await watch(5);
  const { rssBytes: rssBefore } = await footprint(connector);
  const stalled = laptop.spawn([
    "bash",
    "-c",
    `exec 3<>/dev/tcp/bench.default/5002; echo ${gibibyte} >&3; sleep 60`,
  ]);
  try {
    const after = await watch(5);
    const unread = [
      "ss",
      "-Htn",
      "state",
      "established",
      "dport",
      "=",
      ":5002",
    ];
    const { stdout: sockets } = await laptop.run(unread);
    assert.match(sockets, /^[1-9]/m, "nothing waits for the one that stopped");
    const { rssBytes } = await footprint(connector);
    const moreMb = Math.round((rssBytes - rssBefore) / 1e6);
    const median = before.map(({ echoes }) => echoes).sort((a, b) => a - b)[2]!;
    const best = Math.max(...after.map(({ echoes }) => echoes));
    const longestMs = Math.max(...after.map(({ longestMs }) => longestMs));
    say(
      `one stops reading: the others: ${median} messages a second before, ${best} after, the slowest ${longestMs} ms; memory ${moreMb} MB more`,
    );
    assert.ok(best >= 0.95 * median, `${best} after ${median}`);
    assert.ok(longestMs < 2_000, `${longestMs} ms`);
    assert.ok(moreMb < 128, `the connector grew by ${moreMb} MB`);
  } finally {
    stalled.kill("SIGKILL");
    await stalled.status;
  }
});

Deno.test("UDP datagrams come back from a service", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  await using _ = await tp.connected();
  const { stdout } = await laptop.run([
    "bash",
    "-c",
    "exec 3<>/dev/udp/bench.default/5005; echo hello >&3; timeout 5 head -n 1 <&3",
  ]);
  assert.equal(stdout, "hello\n");
});

Deno.test("IPv6 addresses of a dual-stack service answer", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  await using _ = await tp.connected();
  const { stdout, stderr } = await laptop.run(
    ["curl", "-sS6", "-m", "10", "http://bench.default:5004/who"],
  );
  assert.match(stdout, /"pod"/, stderr);
});
