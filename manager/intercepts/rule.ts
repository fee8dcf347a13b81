import type { Rule } from "../agent_api.ts";
import { type Intercept, sessionLabelOf } from "../intercept.ts";
import type { SessionLedger } from "./session_ledger.ts";

/** The rule of an intercept that is in force; none when no copy of the manager is known to have the laptop. */
export function rulesOf(
  { metadata: { uid }, spec, status }: Intercept,
  ledger: SessionLedger,
): Rule[] {
  const { name, owner, mode, ports, match, subnets, session } = spec;
  const manager = ledger.holderOf(sessionLabelOf(session)) ?? status?.manager;
  if (manager === undefined || mode === "ingest") return [];
  return [{
    ...{ id: uid!, name, owner, mode, ports, manager },
    ...match ? { match } : {},
    ...subnets ? { subnets } : {},
  }];
}
