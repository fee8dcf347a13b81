import assert from "node:assert/strict";
import { parseEnviron } from "./environment.ts";

Deno.test("parseEnviron() keeps every value as it is, and leaves out what is not the app's", () => {
  const cases: [text: string, environment: Record<string, string>][] = [
    ["", {}],
    ["A=1\0B=x=y\0EMPTY=\0", { A: "1", B: "x=y", EMPTY: "" }],
    ["LINES=one\ntwo\0ÄÖ=ü\0", { LINES: "one\ntwo", ÄÖ: "ü" }],
    ["A=first\0A=second\0", { A: "first" }],
    ["PATH=/bin\0HOME=/\0HOSTNAME=pod\0SOCAT_PID=1\0PATHS=x\0", { PATHS: "x" }],
    ["no value\0=no name\0A=1", { A: "1" }],
  ];
  for (const [text, environment] of cases) {
    const bytes = new TextEncoder().encode(text);
    assert.deepEqual(parseEnviron(bytes), environment);
  }
});
