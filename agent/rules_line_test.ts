import assert from "node:assert/strict";
import { connPair, writeAll } from "../net/mod.ts";
import { parseRules, rulesLines } from "./rules_line.ts";

Deno.test("parseRules() leaves out what it does not know, and takes nothing but a list", () => {
  const rule = {
    ...{ id: "1", name: "web", owner: "jane", mode: "intercept" },
    ...{ ports: [{ port: 80, protocol: "TCP" }], manager: "m-0" },
  };
  const via = { ...rule, id: "3", mode: "proxy-via", ports: [] };
  const [right, wrong] = [{ ...via, subnets: ["10.9.0.0/16"] }, {
    ...{ ...via, subnets: "10.9.0.0/16" },
  }];
  const rules = [rule, { ...rule, mode: "mirror" }, { ...rule, id: 2 }, {}]
    .concat(right, wrong);
  const line = JSON.stringify({ version: 7, manager: "m-0", rules });
  assert.deepEqual(parseRules(line), {
    ...{ version: 7, manager: "m-0", rules: [rule, right] },
  });
  for (const wrong of ["", "{}", "[]", '{"version":1,"manager":"m-0"}']) {
    assert.throws(() => parseRules(wrong), SyntaxError);
  }
});

Deno.test("rulesLines() joins what came in pieces", async () => {
  const [near, far] = connPair();
  const text = new TextEncoder().encode("één\ntwo\nrest");
  const lines = Array.fromAsync(rulesLines(far));
  for (const byte of text) await writeAll(near, new Uint8Array([byte]));
  await near.closeWrite();
  assert.deepEqual(await lines, ["één", "two"]);
});
