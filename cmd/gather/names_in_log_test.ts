import assert from "node:assert/strict";
import { namesInLog } from "./names_in_log.ts";

Deno.test("namesInLog() finds names in the fields of lines, and nothing in what is none", () => {
  const lines = [
    '{"level":"info","message":"not intercepted","name":"cart","error":"no"}',
    '17 {"message":"session given up","pod":"traffic-manager-0"}',
    '{"message":"agents are off","workload":"shop/Deployment/web"}',
    '{"message":"no way","owner":"anna@corp.test","number":3,"name":7}',
    'goroutine panic {"name":',
    "",
    "null",
  ];
  assert.deepEqual(
    namesInLog(lines.join("\n")).map(({ kind, name }) => `${kind} ${name}`),
    [
      ...["name cart", "pod traffic-manager-0", "workload shop"],
      ...["workload web", "user anna@corp.test"],
    ],
  );
});
