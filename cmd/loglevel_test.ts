import assert from "node:assert/strict";
import { parseLevel, parseSeconds } from "./loglevel.ts";

Deno.test("tp loglevel reads levels, and times as Go writes them", () => {
  assert.deepEqual(
    ["error", "warning", "warn", "info", "debug", "trace"].map(parseLevel),
    ["error", "warn", "warn", "info", "debug", "debug"],
  );
  const times = ["0", "30m", "30m0s", "1h30m", "90s", "2h"];
  assert.deepEqual(
    times.map(parseSeconds),
    [0, 1800, 1800, 5400, 90, 7200],
  );
});

Deno.test("tp loglevel refuses what is no level and no time", () => {
  for (const text of ["", "loud", "toString", "Debug"]) {
    assert.throws(() => parseLevel(text), /the levels are/, text);
  }
  for (const text of ["", "soon", "-1m", "1d", "30", "9999h", "1m x"]) {
    assert.throws(() => parseSeconds(text), /such as 30m/, text);
  }
});
