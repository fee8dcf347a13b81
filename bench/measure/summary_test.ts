import assert from "node:assert/strict";
import type { Measurement } from "./figure.ts";
import type { Sample } from "./rounds.ts";
import { cpuCosts, summarize } from "./summary.ts";
import type { WayName } from "../ways/way.ts";

const measurement: Measurement = {
  load: { kind: "down", streams: 1 },
  figures: [{
    name: "download",
    unit: "Gbit/s",
    read: ({ bytes, seconds }) => bytes! / seconds!,
    target: { atLeast: 0.8 },
  }],
};

function sample(way: WayName, round: number, bytes?: number): Sample {
  const cpu = {
    groups: new Map([["kubelet", 2]]),
    machine: 5,
    stolen: 0.5,
    seconds: 2,
  };
  const base = { measurement, way, round, cpu };
  if (bytes === undefined) return { ...base, failure: "it hangs" };
  const result = { bytes, seconds: 1 };
  return {
    ...base,
    outcome: { result, movedBytes: bytes, cut: 0, cpuSeconds: 1 },
  };
}

Deno.test("summarize() holds the median ratio of the rounds against the target", () => {
  const samples = [
    ...[sample("kubectl", 0, 10), sample("tp", 0, 9)],
    ...[sample("tp", 1, 10), sample("kubectl", 1, 20)],
    ...[sample("kubectl", 2, 10), sample("tp", 2, 8)],
  ];
  const [line] = summarize([measurement], samples);
  assert.deepEqual(line!.ratio, { median: 0.8, min: 0.5, max: 0.9 });
  assert.deepEqual(line!.ways.tp, { median: 9, min: 8, max: 10 });
  assert.equal(line!.isMet, true);
});

Deno.test("summarize() leaves a failed round out, and misses a target without any ratio", () => {
  const samples = [
    ...[sample("kubectl", 0), sample("tp", 0, 9)],
    ...[sample("kubectl", 1, 10), sample("tp", 1, 7)],
  ];
  const [line] = summarize([measurement], samples);
  assert.deepEqual(line!.ratio, { median: 0.7, min: 0.7, max: 0.7 });
  const [alone] = summarize([measurement], [sample("kubectl", 0, 10)]);
  assert.equal(alone!.ratio, undefined);
  assert.equal(alone!.isMet, false);
});

Deno.test("cpuCosts() shares the machine's CPU seconds out by gigabits", () => {
  const gigabyte = 1e9;
  const [cost] = cpuCosts([measurement], [sample("tp", 0, gigabyte)]);
  assert.deepEqual(cost, {
    load: "down x1",
    way: "tp",
    groups: { kubelet: 2 / 8 },
    loadTool: 1 / 8,
    rest: 2 / 8,
    busyCores: 2.5,
    stolenShare: 0.25,
  });
});
