import assert from "node:assert/strict";
import { setLogLevel } from "../../log.ts";
import type { Manager } from "../../manager/client.ts";
import { connPair, writeAll } from "../../net/mod.ts";
import type { LogLevelRequest } from "../api.ts";
import { type AskedManager, setLogLevels } from "./log_level.ts";

const both: LogLevelRequest = {
  ...{ level: "debug", seconds: 60, laptop: true, cluster: true },
};

/** A manager, and what it was asked for; of agents it answers `answers`, by the intercept. */
function asked(
  workloads: string[] = [],
  answers: Record<string, unknown> = {},
) {
  const wishes: unknown[] = [];
  const one = {
    log: (wish: unknown) => Promise.resolve(void wishes.push(wish)),
    pod: async (intercept: string, wish: unknown) => {
      wishes.push({ intercept, wish });
      const answer = answers[intercept];
      if (answer === undefined) throw new Error("it is gone");
      const [near, far] = connPair();
      const bytes = new TextEncoder().encode(JSON.stringify(answer));
      await writeAll(far, bytes);
      await far.closeWrite();
      return near;
    },
  } as unknown as Manager;
  const manager: AskedManager = {
    pod: "traffic-manager-0",
    use: (open) => open(one),
    workloads: workloads.map((intercept) => ({
      ...{ intercept, name: `web-${intercept}.orders` },
    })),
  };
  return { wishes, manager };
}

Deno.test("setLogLevels() sets both, the manager's for a day at most", async () => {
  const { wishes, manager } = asked();
  try {
    const { done, problems } = await setLogLevels(both, manager);
    assert.deepEqual(problems, []);
    assert.deepEqual(done, [
      ...[
        "connector: debug for 1m",
        "manager (traffic-manager-0): debug for 1m",
      ],
    ]);
    await setLogLevels({ ...both, seconds: 0 }, manager);
    assert.deepEqual(wishes, [
      { level: "debug", seconds: 60 },
      { level: "debug", seconds: 86_400 },
    ]);
  } finally {
    setLogLevel("info");
  }
});

Deno.test("setLogLevels() asks the agents of every intercepted workload, and tells which do not follow", async () => {
  const { wishes, manager } = asked(["a", "b", "c", "d"], {
    a: { agents: 2 },
    b: { agents: 0, others: { count: 1, why: "b-1: it does not know" } },
    d: { agents: 0 },
  });
  const answer = await setLogLevels({ ...both, laptop: false }, manager);
  assert.deepEqual(answer, {
    done: [
      "manager (traffic-manager-0): debug for 1m",
      "agents of web-a.orders (2): debug for 1m",
    ],
    problems: [
      "agents of web-b.orders (1): b-1: it does not know",
      "agents of web-c.orders: it is gone",
      "agents of web-d.orders: none is there",
    ],
  });
  const wish = { kind: "log", level: "debug", seconds: 60 };
  assert.deepEqual(wishes, [
    { level: "debug", seconds: 60 },
    ...["a", "b", "c", "d"].map((intercept) => ({ intercept, wish })),
  ]);
});

Deno.test("setLogLevels() makes no manager quieter, and tells it", async () => {
  const { wishes, manager } = asked();
  const request = { ...both, level: "error", laptop: false } as const;
  const { done, problems } = await setLogLevels(request, manager);
  assert.deepEqual([done, wishes], [[], []]);
  assert.match(problems.join(), /no quieter than info/);
});

Deno.test("setLogLevels() tells when there is no manager to ask, or it does not do it", async () => {
  const request = { ...both, laptop: false };
  const { problems } = await setLogLevels(request, undefined);
  assert.match(problems.join(), /not connected/);
  const refused = await setLogLevels(request, {
    ...{ pod: "p", workloads: [] },
    use: () => Promise.reject(new Error("it is of another release")),
  });
  assert.deepEqual(refused.problems, ["manager: it is of another release"]);
});
