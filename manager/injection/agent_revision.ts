import { createHash } from "node:crypto";
import { version } from "../../build.ts";
import type { AgentSpec } from "../agent_object.ts";

const digits = 16;

/** A short hash of all that makes one agent differ from another: pods that bear it need not be replaced. */
export function agentRevision(
  spec: AgentSpec,
  { image }: { image: string },
): string {
  const text = JSON.stringify([sorted(spec), image, version]);
  return createHash("sha256").update(text).digest("hex").slice(0, digits);
}

/** The API server gives fields in an order of its own. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, of]) => of !== undefined);
  return Object.fromEntries(
    entries.toSorted(([a], [b]) => a < b ? -1 : 1)
      .map(([name, of]) => [name, sorted(of)]),
  );
}
