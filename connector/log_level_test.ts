import assert from "node:assert/strict";
import { setLogLevel } from "../log.ts";
import type { Manager } from "../manager/client.ts";
import type { LogLevelRequest } from "./api.ts";
import { setLogLevels } from "./log_level.ts";

const both: LogLevelRequest = {
  ...{ level: "debug", seconds: 60, laptop: true, cluster: true },
};

/** What a manager was asked for. */
function asked() {
  const wishes: unknown[] = [];
  const manager = {
    log: (wish: unknown) => Promise.resolve(void wishes.push(wish)),
  } as unknown as Manager;
  return {
    wishes,
    manager: {
      pod: "traffic-manager-0",
      use: (open: (manager: Manager) => Promise<void>) => open(manager),
    },
  };
}

Deno.test("setLogLevels() sets both, the manager's for a day at most", async () => {
  const { wishes, manager } = asked();
  try {
    const { done, problems } = await setLogLevels(both, manager);
    assert.deepEqual(problems, []);
    assert.deepEqual(done, [
      ...[
        "connector: debug for 60 s",
        "manager (traffic-manager-0): debug for 60 s",
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
    pod: "p",
    use: () => Promise.reject(new Error("it is of another release")),
  });
  assert.deepEqual(refused.problems, ["manager: it is of another release"]);
});
