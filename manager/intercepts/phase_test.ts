import assert from "node:assert/strict";
import type { InterceptStatus } from "../intercept.ts";
import { interceptOf } from "./intercept_fake.ts";
import { type PhaseFacts, statusOf } from "./phase.ts";

const pods = { ready: 1, wanted: 3 };

const done = { kind: "done" } as const;
const going = { kind: "going", message: "1 of 3 pods" } as const;
const failed = { kind: "failed", message: "no image", details: ["x"] } as const;

const table: {
  what: string;
  since?: InterceptStatus["phase"];
  facts: Partial<PhaseFacts>;
  says: Partial<InterceptStatus>;
}[] = [
  {
    what: "pods that are on their way",
    facts: { progress: going },
    says: { phase: "Waiting", message: "1 of 3 pods" },
  },
  {
    what: "pods that have agents, not all of which have answered",
    facts: { progress: done },
    says: { phase: "Waiting", message: "waiting for the agents of 2 pods" },
  },
  {
    what: "every pod's answer",
    facts: { progress: done, isAnswered: true },
    says: { phase: "Active" },
  },
  {
    what: "every pod's answer, while who was first is away",
    facts: { progress: done, isAnswered: true, standsInFor: "it is anna's" },
    says: {
      phase: "Active",
      message: "for as long as another is away: it is anna's",
    },
  },
  {
    what: "answers of all pods that are ready, while others are to be replaced",
    facts: { progress: going, isAnswered: true },
    says: { phase: "Waiting" },
  },
  {
    what: "no pod at all",
    facts: { progress: done, pods: { ready: 0, wanted: 0 } },
    says: { phase: "Waiting" },
  },
  {
    what: "a pod that came later",
    since: "Active",
    facts: { progress: going },
    says: { phase: "Active" },
  },
  {
    what: "trouble",
    facts: { progress: failed },
    says: { phase: "Failed", message: "no image", details: ["x"] },
  },
  {
    what: "trouble of a known kind",
    facts: { progress: { ...failed, reason: "OtherManager" } },
    says: { phase: "Failed", message: "no image", reason: "OtherManager" },
  },
  {
    what: "trouble of a pod that came later",
    since: "Active",
    facts: { progress: failed },
    says: { phase: "Active" },
  },
  {
    what: "a failure of before",
    since: "Failed",
    facts: { progress: done, isAnswered: true },
    says: { phase: "Failed" },
  },
  {
    what: "a laptop that is away",
    since: "Active",
    facts: {
      progress: done,
      isAnswered: true,
      presence: "away",
      conflict: "x",
    },
    says: { phase: "Away", message: "the laptop (a@laptop) is away" },
  },
  {
    what: "a laptop that is back",
    since: "Away",
    facts: { progress: done, isAnswered: true },
    says: { phase: "Active" },
  },
  {
    what: "a conflict",
    since: "Active",
    facts: { progress: done, isAnswered: true, conflict: "held by b" },
    says: { phase: "Conflict", message: "held by b" },
  },
  {
    what: "the end of a conflict, before the agents have answered",
    since: "Conflict",
    facts: { progress: done },
    says: { phase: "Waiting" },
  },
];

for (const { what, since, facts, says } of table) {
  const was = since ? ` (it was ${since})` : "";
  Deno.test(`statusOf() says ${says.phase} at ${what}${was}`, () => {
    const intercept = interceptOf({ uid: "a" });
    if (since) intercept.status = { phase: since };
    const usual = {
      intercept,
      presence: "here",
      progress: going,
      pods,
      isAnswered: false,
    } as const;
    const told = statusOf({ ...usual, ...facts });
    for (const [name, value] of Object.entries(says)) {
      assert.deepEqual(told[name as keyof InterceptStatus], value);
    }
    if (says.phase === "Active") assert.equal(told.message, says.message);
  });
}
