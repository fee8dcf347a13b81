import assert from "node:assert/strict";
import { restartAnnotation, revisionAnnotation } from "../agent_object.ts";
import type { PodFacts } from "./pod_facts.ts";
import { type RolloutState, rolloutStep } from "./rollout_step.ts";
import type { AppWorkload } from "./workload_kind.ts";

function pod(name: string, facts: Partial<PodFacts> = {}): PodFacts {
  return {
    ...{ name, uid: name, createdAt: "2026-01-01T00:00:00Z" },
    ...{ isLeaving: false, isReady: true, hasAgent: false, phase: "" },
    ...facts,
  };
}

const injected = { hasAgent: true, revision: "r1" };

function workload(
  { annotated, ...spec }: { annotated?: string } & AppWorkload["spec"] = {},
): AppWorkload {
  const annotations = annotated ? { [revisionAnnotation]: annotated } : {};
  return {
    metadata: { name: "web", generation: 2 },
    spec: { replicas: 2, ...spec, template: { metadata: { annotations } } },
    status: { observedGeneration: 2, replicas: 2, updatedReplicas: 2 },
  };
}

const rolling = { observedGeneration: 1, replicas: 2, updatedReplicas: 2 };
const old = [pod("a"), pod("b")];
const restartAt = "2026-01-01T00:00:01Z";

function restarted(note: string): AppWorkload {
  const { metadata, ...rest } = workload({ restartAt });
  const annotations = { [restartAnnotation]: note };
  return { ...rest, metadata: { ...metadata, annotations } };
}

const table: {
  what: string;
  state: Partial<RolloutState>;
  step: string;
}[] = [
  {
    what: "template: pods without an agent",
    state: { pods: old },
    step: "annotate r1",
  },
  {
    what: "template: pods with another agent",
    state: {
      pods: [pod("a", { hasAgent: true, revision: "r0" })],
      workload: workload({ annotated: "r0" }),
    },
    step: "annotate r1",
  },
  {
    what: "template: annotated, old pods there",
    state: {
      pods: [...old, pod("c", injected)],
      workload: workload({ annotated: "r1" }),
    },
    step: "wait",
  },
  {
    what: "template: a pod was made without its agent",
    state: {
      pods: [...old, pod("c", { revision: "r1" })],
      workload: workload({ annotated: "r1" }),
    },
    step: "missed c",
  },
  {
    what: "template: all have it, though another took the annotation away",
    state: { pods: [pod("c", injected)] },
    step: "done",
  },
  {
    what: "template: the rest is leaving",
    state: { pods: [pod("a", { isLeaving: true }), pod("c", injected)] },
    step: "done",
  },
  {
    what: "removal: the annotation goes",
    state: {
      pods: [pod("c", injected)],
      revision: undefined,
      workload: workload({ annotated: "r1" }),
    },
    step: "annotate null",
  },
  {
    what: "removal: while the workload's controller is at it",
    state: {
      pods: [pod("c", injected)],
      revision: undefined,
      workload: { ...workload(), status: rolling },
    },
    step: "wait",
  },
  {
    what: "removal: of a StatefulSet whose pod never gets ready",
    state: {
      ...{ kind: "StatefulSet", revision: undefined },
      pods: [pod("a", { ...injected, isReady: false })],
      workload: { ...workload(), status: rolling },
    },
    step: "evict a",
  },
  {
    what:
      "template: back to what a StatefulSet had, whose pod never gets ready",
    state: {
      kind: "StatefulSet",
      pods: [pod("a", { ...injected, revision: "r2", isReady: false })],
      workload: workload({ annotated: "r1" }),
    },
    step: "evict a",
  },
  {
    what: "removal: of a template that was never annotated",
    state: { pods: [pod("c", injected)], revision: undefined },
    step: "evict c",
  },
  {
    what: "removal: done",
    state: { pods: old, revision: undefined },
    step: "done",
  },
  {
    what: "restart: pods without an agent",
    state: { way: "restart", pods: old },
    step: "restart",
  },
  {
    what: "restart: asked for",
    state: { way: "restart", pods: old, workload: workload({ restartAt }) },
    step: "wait",
  },
  {
    what: "restart: another pod came without its agent",
    state: {
      ...{ way: "restart", pods: [...old, pod("c")] },
      workload: workload({ restartAt }),
    },
    step: "missed c",
  },
  {
    what: "removal: of a restart, while a pod has an agent",
    state: {
      ...{ way: "restart", revision: undefined, pods: [pod("c", injected)] },
      workload: restarted(restartAt),
    },
    step: "wait",
  },
  {
    what: "removal: of a restart, no pod has an agent",
    state: {
      ...{ way: "restart", revision: undefined, pods: old },
      workload: restarted(restartAt),
    },
    step: "unrestart",
  },
  {
    what: "evict: one of two",
    state: { way: "evict", pods: old },
    step: "evict a",
  },
  {
    what: "evict: first who does not serve",
    state: { way: "evict", pods: [pod("a"), pod("b", { isReady: false })] },
    step: "evict b",
  },
  {
    what: "evict: the one before is going",
    state: { way: "evict", pods: [pod("a", { isLeaving: true }), pod("b")] },
    step: "wait",
  },
  {
    what: "evict: the one before has not been made anew",
    state: { way: "evict", pods: [pod("b")] },
    step: "wait",
  },
  {
    what: "evict: its successor is not ready",
    state: {
      ...{ way: "evict" },
      pods: [pod("c", { ...injected, isReady: false }), pod("b")],
    },
    step: "wait",
  },
  {
    what: "evict: its successor has no agent",
    state: { way: "evict", pods: [pod("c"), pod("b")] },
    step: "missed c",
  },
  {
    what: "evict: removal",
    state: {
      way: "evict",
      pods: [pod("c", injected), pod("b")],
      revision: undefined,
    },
    step: "evict c",
  },
];

for (const { what, state, step } of table) {
  Deno.test(`rolloutStep() of ${what}: ${step}`, () => {
    const told = rolloutStep({
      ...{ kind: "Deployment", workload: workload() },
      ...{ way: "template", pods: [] },
      ...{ revision: "r1", former: new Set(["a", "b"]) },
      ...state,
    });
    const { kind } = told;
    const what = kind === "annotate"
      ? ` ${told.revision}`
      : kind === "evict" || kind === "missed"
      ? ` ${told.pod.name}`
      : "";
    assert.equal(`${kind}${what}`, step);
  });
}
