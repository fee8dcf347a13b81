import assert from "node:assert/strict";
import { defaultLimits } from "../tunnel/limits.ts";
import { WindowBudget } from "../tunnel/window_budget.ts";
import { managerManifests } from "./manifests.ts";
import { sessionLimits, sharedBudget } from "./session_budget.ts";

/** How many streams, open at a time, so many sessions find room for in a manager as the manifest has it. */
function roomFor(sessions: number): number {
  const options = { namespace: "tp", image: "tp", version: "1.0.0" };
  const text = JSON.stringify(managerManifests(options));
  const [, gibibytes] = /"limits":\{"memory":"(\d+)Gi"/.exec(text)!;
  const shared = sharedBudget(Number(gibibytes) * 1024 ** 3);
  const limits = { ...defaultLimits, ...sessionLimits };
  const windows = Array.from(
    { length: sessions },
    () => new WindowBudget(limits, shared),
  );
  let streams = 0;
  for (; windows[0]!.hasFirst; streams++) windows[streams % sessions]!.first();
  assert.ok(shared.takenBytes <= shared.limitBytes);
  return streams;
}

Deno.test("a manager has room for ten thousand streams, of one session or of many", () => {
  for (const sessions of [1, 20, 200]) {
    const streams = roomFor(sessions);
    assert.ok(streams >= 10_000, `${streams} streams of ${sessions} sessions`);
  }
});
