import assert from "node:assert/strict";
import { jsonLines } from "./json_lines.ts";

Deno.test("jsonLines() gives a line for each value, and ends with the work", async () => {
  const response = jsonLines<number>(async (tell) => {
    void tell(1);
    await tell(2);
  });
  assert.equal(await response.text(), "1\n2\n");
});

Deno.test("jsonLines() lets the work wait for a listener that is slow", async () => {
  let told = 0;
  const response = jsonLines<number>(async (tell, gone) => {
    while (!gone.aborted) await tell(++told);
  });
  const reader = response.body!.getReader();
  for (let read = 0; read < 3; read++) {
    await reader.read();
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.ok(told <= read + 3, `${told} told, ${read + 1} read`);
  }
  await reader.cancel();
});

Deno.test("jsonLines() tells the work that nobody listens, and drops what comes then", async () => {
  const done = Promise.withResolvers<boolean>();
  const response = jsonLines<number>(async (tell, gone) => {
    await tell(1);
    await tell(2);
    await tell(3);
    done.resolve(gone.aborted);
  });
  await response.body!.cancel();
  assert.equal(await done.promise, true);
});
