import assert from "node:assert/strict";
import type { Laptop } from "../cluster/mod.ts";

/** The pids of what runs on a laptop that is connected. */
export interface OwnProcesses {
  connector: number;
  daemon: number;
  guard: number;
}

/** Finds them by their command lines. */
export async function ownProcesses(laptop: Laptop): Promise<OwnProcesses> {
  const { stdout } = await laptop.run(["ps", "-eo", "pid=,args="]);
  const inside = new Set(await laptop.pids());
  const find = (pattern: RegExp) => {
    const line = stdout.split("\n").find((one) =>
      pattern.test(one) && inside.has(Number(one.trim().split(/\s+/)[0]))
    );
    assert.ok(line, `no process matches ${pattern} in\n${stdout}`);
    return Number(line.trim().split(/\s+/)[0]);
  };
  return {
    connector: find(/tp connector-foreground/),
    daemon: find(/tp daemon-foreground --uid/),
    guard: find(/sh .*guard/),
  };
}
