import assert from "node:assert/strict";
import type { LogFields, Logger } from "../log.ts";
import { FakeClock } from "../net/clock_fake.ts";
import { BoundedLog } from "./bounded_log.ts";

Deno.test("BoundedLog writes a hundred lines of one key, then one each second, and tells how many it left out", () => {
  const lines: [message: string, fields: LogFields | undefined][] = [];
  const add = (message: string, fields?: LogFields) =>
    void lines.push([message, fields]);
  const log: Logger = { debug: add, info: add, warn: add, error: add };
  const clock = new FakeClock();
  const bounded = new BoundedLog(log, clock);
  const write = (key: string, message: string) =>
    bounded.write(key, { level: "warn", message, of: key });
  for (let i = 0; i < 300; i++) write("a", "m");
  assert.equal(lines.length, 100);
  assert.deepEqual(lines[0], ["m", { of: "a" }]);
  write("b", "another's");
  assert.deepEqual(lines[100], ["another's", { of: "b", leftOut: 200 }]);
  clock.advance(1_000);
  for (let i = 0; i < 300; i++) write("a", "later");
  assert.deepEqual(lines.slice(101), [["later", { of: "a" }]]);
});
