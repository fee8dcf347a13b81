import { type Check, type Facts, type Verdict } from "./check.ts";
import { clusterChecks } from "./cluster_checks.ts";
import { connectionChecks } from "./connection_checks.ts";
import { laptopChecks } from "./laptop_checks.ts";

/** Every check, in the order in which a connection needs what they look at. */
export const checks: readonly Check[] = [
  ...laptopChecks,
  ...clusterChecks,
  ...connectionChecks,
];

/** What programs read. */
export interface Report {
  /** Nothing failed. */
  ok: boolean;
  connected: boolean;
  checks: (Pick<Check, "id" | "title"> & Verdict)[];
}

/** The verdicts on `facts`; checks that have no place are left out. */
export function reportOf(facts: Facts): Report {
  const verdicts = checks.flatMap(({ id, title, judge }) => {
    const verdict = judge(facts);
    return verdict ? [{ id, title, ...verdict }] : [];
  });
  return {
    ok: verdicts.every(({ state }) => state !== "failed"),
    connected: facts.connection !== undefined,
    checks: verdicts,
  };
}

/** What people read: a line for each check, with a remedy below it where there is one, and a sum. */
export function reportText({ checks, connected }: Report): string {
  const lines = checks.flatMap(({ state, title, found, remedy }) => [
    `${state.padEnd(8)} ${title.padEnd(14)} ${found}`,
    ...remedy === undefined ? [] : [`${" ".repeat(24)}-> ${remedy}`],
  ]);
  const count = (state: Verdict["state"]) =>
    checks.filter((one) => one.state === state).length;
  return [
    ...lines,
    `${count("failed")} failed, ${count("warning")} warnings, ${
      count("ok")
    } ok; ${connected ? "connected" : "not connected"}`,
    "",
  ].join("\n");
}
