import assert from "node:assert/strict";
import { restartAnnotation } from "../agent_object.ts";
import { askRestart, formerRestart, undoRestart } from "./restart.ts";
import type { AppWorkload } from "./workload_kind.ts";

const first = new Date("2026-01-01T00:00:00.750Z");
const second = new Date("2026-01-02T00:00:00Z");
const theirs = "2025-12-31T00:00:00Z";

function rollout(restartAt?: string): AppWorkload {
  return { metadata: { name: "web" }, spec: restartAt ? { restartAt } : {} };
}

/** As a merge patch does; a field that is `null` goes. */
function patched(
  { metadata, spec = {} }: AppWorkload,
  changes: NonNullable<ReturnType<typeof undoRestart>>,
): AppWorkload {
  const { [restartAnnotation]: note } = changes.metadata.annotations;
  const { restartAt, ...others } = { ...spec, ...changes.spec };
  return {
    metadata: {
      ...metadata,
      annotations: note === null ? {} : { [restartAnnotation]: note },
    },
    spec: restartAt ? { ...others, restartAt } : others,
  };
}

function restart(workload: AppWorkload, now: Date): AppWorkload {
  return patched(workload, askRestart(formerRestart(workload), now));
}

for (const before of [undefined, theirs]) {
  Deno.test(`a restart is undone to ${before ?? "none"}, however often it was asked for`, () => {
    const once = restart(rollout(before), first);
    assert.equal(once.spec?.restartAt, "2026-01-01T00:00:00Z");
    const twice = restart(once, second);
    assert.equal(twice.spec?.restartAt, "2026-01-02T00:00:00Z");
    const undone = patched(twice, undoRestart(twice)!);
    assert.equal(undone.spec?.restartAt, before);
    assert.equal(undoRestart(undone), undefined);
  });
}

Deno.test("a restart that somebody else asked for meanwhile stays", () => {
  const { metadata } = restart(rollout(), first);
  const other = { metadata, spec: { restartAt: "2026-01-05T00:00:00Z" } };
  const undone = patched(other, undoRestart(other)!);
  assert.deepEqual(undone.spec, other.spec);
  assert.deepEqual(undone.metadata.annotations, {});
});

Deno.test("what nobody restarted is not undone", () => {
  assert.equal(undoRestart(rollout(theirs)), undefined);
});
