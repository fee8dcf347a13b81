/** The wan of the tests itself: that it is what it is told to be, and leaves nothing behind. */
import assert from "node:assert/strict";
import {
  type Cluster,
  Laptop,
  must,
  openCluster,
  say,
} from "../cluster/mod.ts";
import { assertSameState } from "../support/same_state.ts";
import { openWan, type WanDirection } from "../support/wan.ts";
import { measureRoundTrips } from "../support/wan_measure.ts";

/** Five standard deviations: one run in two million is further off. */
function tolerance(share: number, count: number): number {
  return 5 * Math.sqrt(share * (1 - share) / count);
}

Deno.test("a wan delays, loses and limits as it is told", async (t) => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using wan = await openWan(laptop);
  await using _ = await laptop.openDirectPath();
  const address = cluster.apiServerAddress.host;
  const echoes = (count: number, everyMs?: number) =>
    measureRoundTrips(laptop, { address, count, everyMs: everyMs ?? 2 });

  await t.step("nothing is added to a round trip", async () => {
    const { medianMs, lostPercent } = await echoes(100);
    say(`wan: round trip ${medianMs} ms`);
    assert.ok(medianMs < 4, `${medianMs} ms`);
    assert.equal(lostPercent, 0);
  });

  for (const delayMs of [10, 40]) {
    await t.step(`${2 * delayMs} ms are added to a round trip`, async () => {
      await wan.change({ delayMs });
      const { medianMs, minMs, lostPercent } = await echoes(100);
      say(`wan: round trip ${medianMs} ms, at least ${minMs} ms`);
      assert.ok(minMs >= 2 * delayMs, `${minMs} ms`);
      assert.ok(medianMs < 2 * delayMs + 4, `${medianMs} ms`);
      assert.equal(lostPercent, 0);
    });
  }

  for (const lossPercent of [1, 3]) {
    await t.step(`${lossPercent} % of the frames are lost`, async () => {
      const before = await wan.counts();
      await wan.change({ delayMs: 0, lossPercent });
      const measured = await echoes(4000, 0.5);
      const share = 1 - (1 - lossPercent / 100) ** 2;
      say(
        `wan: ${measured.lostPercent} % of the round trips lost, ${
          (share * 100).toFixed(2)
        } expected`,
      );
      const off = Math.abs(measured.lostPercent / 100 - share);
      assert.ok(off < tolerance(share, measured.sent), `${off}`);
      const after = await wan.counts();
      for (const way of ["up", "down"] as const) {
        const lost = after[way].lost - before[way].lost;
        const all = lost + after[way].passed - before[way].passed;
        const share = lossPercent / 100;
        assert.ok(
          Math.abs(lost / all - share) < tolerance(share, all),
          `${lost} of ${all}`,
        );
      }
    });
  }

  for (const way of ["up", "down"] as const) {
    await t.step(`50 Mbit/s are not exceeded ${way}`, async () => {
      // The first words of four connections are more than such a queue holds.
      await wan.change({
        delayMs: 5,
        lossPercent: 0,
        rateMbit: 50,
        queueMs: 5,
      });
      const before = await wan.counts();
      const mbit = await transferMbit(cluster, { laptop, way, streams: 4 });
      // What TCP carries is 1448 bytes of a frame of 1514.
      say(`wan: ${mbit.toFixed(1)} Mbit/s ${way}`);
      assert.ok(mbit > 25 && mbit < 49, `${mbit}`);
      const dropped = (await wan.counts())[way].tailDropped;
      assert.ok(dropped > before[way].tailDropped, "the queue was never full");
    });
  }

  for (const delayMs of [0, 10]) {
    await t.step(`it carries Gbit/s at ${2 * delayMs} ms`, async () => {
      await wan.change({ delayMs, rateMbit: 0 });
      for (const way of ["up", "down"] as const) {
        const mbit = await transferMbit(cluster, { laptop, way, streams: 4 });
        say(`wan: ${(mbit / 1000).toFixed(2)} Gbit/s ${way}, 4 streams`);
        assert.ok(mbit > 500, `${mbit}`);
      }
      const { up, down } = await wan.counts();
      assert.equal(up.failed + down.failed, 0);
    });
  }
});

Deno.test("a black hole swallows what is sent, until it is mended", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using wan = await openWan(laptop);
  const address = cluster.apiServerAddress.host;
  const lost = async () =>
    (await measureRoundTrips(laptop, { address, count: 5 })).lostPercent;
  assert.equal(await lost(), 0);
  await wan.blackHole();
  assert.equal(await lost(), 100);
  await wan.mend();
  assert.equal(await lost(), 0);
  const before = await wan.counts();
  await wan.blackHole(["down"]);
  assert.equal(await lost(), 100);
  const after = await wan.counts();
  assert.equal(after.up.swallowed, before.up.swallowed);
  assert.ok(after.down.swallowed >= before.down.swallowed + 5);
});

Deno.test("a wan that has ended leaves the laptop's link as it was", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const version = ["kubectl", "get", "--raw", "/version"];
  await must(laptop.command(version));
  const before = await laptop.snapshot();
  {
    await using _wan = await openWan(laptop, { delayMs: 5, lossPercent: 1 });
    await must(laptop.command(version));
  }
  assertSameState(await laptop.snapshot(), before);
  await must(laptop.command(version));
});

/** A TCP transfer of one second between the laptop and the node, as its receiver has it. */
async function transferMbit(
  { nodes }: Cluster,
  { laptop, way, streams = 1 }: {
    laptop: Laptop;
    way: WanDirection;
    streams?: number;
  },
): Promise<number> {
  const address = laptop.clusterLink.gateway.ipv4;
  const server = new Deno.Command("nsenter", {
    args: [`--net=/run/netns/${nodes[0]!.netns}`, "--"]
      .concat("iperf3", "-s", "-1", "-B", address, "--forceflush"),
    stdout: "piped",
  }).spawn();
  const output = server.stdout[Symbol.asyncIterator]();
  try {
    const decoder = new TextDecoder();
    for (let said = ""; !said.includes("listening");) {
      const { value, done } = await output.next();
      if (done) throw new Error(`Cannot go on: iperf3 has ended: ${said}`);
      said += decoder.decode(value, { stream: true });
    }
    const report = JSON.parse(
      await must(laptop.command(
        ["iperf3", "-c", address, "-t", "1", "-P", `${streams}`, "-J"]
          .concat(way === "down" ? ["-R"] : []),
      )),
    );
    return report.end["sum_received"]["bits_per_second"] / 1e6;
  } finally {
    await output.return?.();
    await server.status;
  }
}
