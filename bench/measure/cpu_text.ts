/** The shares of the CPU as text. */
import type { CpuCost } from "./summary.ts";
import { table } from "./table.ts";

/** CPU seconds per Gbit of every load and way. */
export function formatCpu(costs: readonly CpuCost[]): string {
  const groups = [
    ...new Set(costs.flatMap((cost) => Object.keys(cost.groups))),
  ];
  return table([
    ["", "", ...groups, "load tool", "rest", "busy cores", "stolen"],
    ...costs.map((cost) => [
      cost.load,
      cost.way,
      ...groups.map((name) => cost.groups[name]?.toFixed(3) ?? ""),
      cost.loadTool.toFixed(3),
      cost.rest.toFixed(3),
      cost.busyCores.toFixed(2),
      `${(cost.stolenShare * 100).toFixed(0)} %`,
    ]),
  ]);
}
