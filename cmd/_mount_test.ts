import assert from "node:assert/strict";
import { type Mount, parseMount } from "./_mount.ts";

const table: [text: string, mount: Mount][] = [
  ["false", "off"],
  ["true", { readOnly: false }],
  ["true:ro", { readOnly: true }],
  ["/mnt/x", { directory: "/mnt/x", readOnly: false }],
  ["/mnt/x:ro", { directory: "/mnt/x", readOnly: true }],
  ["x", { directory: `${Deno.cwd()}/x`, readOnly: false }],
];

for (const [text, mount] of table) {
  Deno.test(`parseMount() reads ${text}`, () => {
    assert.deepEqual(parseMount(text), mount);
  });
}

Deno.test("parseMount() takes no empty directory", () => {
  assert.throws(() => parseMount(""), SyntaxError);
  assert.throws(() => parseMount(":ro"), SyntaxError);
});
