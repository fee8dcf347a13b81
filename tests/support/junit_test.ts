import assert from "node:assert/strict";
import { junitCounts } from "./junit.ts";

Deno.test("junitCounts() tells passed, failed and skipped cases apart", () => {
  const xml = `<testsuites><testsuite>
    <testcase name="one" time="0.002">
    </testcase>
    <testcase name="two"/>
    <testcase name="three"><skipped/></testcase>
    <testcase name="four"><failure message="no">Error: &lt;testcase&gt;</failure></testcase>
    <testcase name="five"><error/></testcase>
  </testsuite></testsuites>`;
  assert.deepEqual(junitCounts(xml), { passed: 2, failed: 2, skipped: 1 });
});
