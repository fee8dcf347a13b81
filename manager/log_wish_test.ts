import assert from "node:assert/strict";
import { logWishOf } from "./log_wish.ts";

Deno.test("logWishOf() takes the levels that others can bear, for a second to a day", () => {
  for (const level of ["info", "debug"]) {
    for (const seconds of [1, 86_400]) {
      const wish = { kind: "log", level, seconds };
      assert.deepEqual(logWishOf(wish), wish);
    }
  }
  for (
    const wish of [
      { level: "warn", seconds: 60 },
      { level: "error", seconds: 60 },
      { level: 1, seconds: 60 },
      { seconds: 60 },
      { level: "debug" },
      ...[0, -1, 86_401, 1.5, "60", NaN].map((seconds) => ({
        ...{ level: "debug", seconds },
      })),
    ]
  ) {
    assert.equal(logWishOf(wish), undefined, JSON.stringify(wish));
  }
});
