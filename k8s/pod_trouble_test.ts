import assert from "node:assert/strict";
import type { Event, Pod } from "./object.ts";
import {
  isPodReady,
  podPhase,
  type PodState,
  podTrouble,
} from "./pod_trouble.ts";

function pod(status: Pod["status"] = {}): Pod {
  return { metadata: { name: "traffic-manager-0" }, status };
}

function waiting(reason: string, message?: string): Pod {
  const state = { waiting: { reason, ...message ? { message } : {} } };
  const container = { name: "c", ready: false, restartCount: 0, state };
  return pod({ phase: "Pending", containerStatuses: [container] });
}

function event(reason: string, message: string, count?: number): Event {
  return {
    metadata: {},
    involvedObject: {},
    type: "Warning",
    reason,
    message,
    ...count === undefined ? {} : { count },
  };
}

const states: { what: string; state: PodState; trouble?: string }[] = [
  { what: "no pod yet", state: { events: [] } },
  {
    what: "a quota that is used up",
    state: { events: [event("FailedCreate", "exceeded quota: pods.")] },
    trouble: "FailedCreate: exceeded quota: pods",
  },
  {
    what: "an image that cannot be pulled",
    state: { pod: waiting("ErrImagePull", "not found"), events: [] },
    trouble: "ErrImagePull: not found",
  },
  {
    what: "a container that is being created",
    state: { pod: waiting("ContainerCreating"), events: [] },
  },
  {
    what: "no node that takes the pod",
    state: {
      pod: pod({
        phase: "Pending",
        conditions: [{
          type: "PodScheduled",
          status: "False",
          reason: "Unschedulable",
          message: "0/1 nodes are available",
        }],
      }),
      events: [],
    },
    trouble: "Unschedulable: 0/1 nodes are available",
  },
  {
    what: "a volume that fails at first",
    state: {
      pod: pod({ phase: "Pending" }),
      events: [event("FailedMount", "kube-root-ca.crt not found")],
    },
  },
  {
    what: "a volume that goes on failing",
    state: {
      pod: pod({ phase: "Pending" }),
      events: [event("FailedMount", "no such disk", 3)],
    },
    trouble: "FailedMount: no such disk",
  },
];

for (const { what, state, trouble } of states) {
  Deno.test(`podTrouble() with ${what}`, () => {
    assert.equal(podTrouble(state), trouble);
  });
}

Deno.test("isPodReady() wants the condition, and a pod that is not being deleted", () => {
  const conditions = [{ type: "Ready", status: "True" as const }];
  const ready = pod({ conditions });
  assert.ok(isPodReady(ready));
  assert.ok(!isPodReady(undefined));
  assert.ok(!isPodReady(pod()));
  const metadata = { deletionTimestamp: "2026-01-01T00:00:00Z" };
  assert.ok(!isPodReady({ ...ready, metadata }));
});

Deno.test("podPhase() tells a pod's way from nothing to ready", () => {
  const scheduled = [{ type: "PodScheduled", status: "True" as const }];
  const phases = [
    podPhase({ events: [] }),
    podPhase({ pod: pod(), events: [] }),
    podPhase({ pod: pod({ conditions: scheduled }), events: [] }),
    podPhase({
      pod: pod({ phase: "Running", conditions: scheduled }),
      events: [],
    }),
  ];
  assert.deepEqual(phases, [
    "its pod is being made",
    "its pod waits for a node",
    "its container is being started",
    "it is getting ready",
  ]);
});
