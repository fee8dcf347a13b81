import assert from "node:assert/strict";
import { ConnectError } from "../failure.ts";
import { mustBeOneCopy } from "./one_copy.ts";

const direct = { endpoint: { host: "203.0.113.7", port: 443 } };

Deno.test("mustBeOneCopy() refuses a direct endpoint of several copies, and nothing else", () => {
  mustBeOneCopy({});
  mustBeOneCopy({ replicas: 3 });
  mustBeOneCopy({ direct });
  mustBeOneCopy({ direct, replicas: 1 });
  assert.throws(
    () => mustBeOneCopy({ direct, replicas: 2 }),
    (error) =>
      error instanceof ConnectError &&
      error.failure.kind === "endpoint-ambiguous" &&
      /2 copies/.test(error.failure.cause),
  );
});
