import assert from "node:assert/strict";
import { setLogSink } from "../log.ts";
import { unwatchReadable, watchReadable } from "./_readable.ts";

const closeOnExec = 0x80000; // EFD_CLOEXEC
const nonBlocking = 0x800; // EFD_NONBLOCK
const { symbols: libc } = Deno.dlopen("libc.so.6", {
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
});

Deno.test("watchReadable() calls the others though one throws, and that one again", async () => {
  const lines: string[] = [];
  setLogSink((line) => lines.push(line));
  // Counters that are readable from the beginning.
  const [bad, good] = [1, 1].map((count) =>
    libc.eventfd(count, closeOnExec | nonBlocking)
  ) as [number, number];
  const calls = { bad: 0, good: 0 };
  const done = Promise.withResolvers<void>();
  const note = (name: "bad" | "good") => {
    calls[name]++;
    if (calls.bad >= 2 && calls.good >= 2) done.resolve();
  };
  try {
    watchReadable(bad, () => {
      note("bad");
      throw new Error("a mistake");
    });
    watchReadable(good, () => note("good"));
    await done.promise;
    assert.ok(lines.some((line) => line.includes("a mistake")));
  } finally {
    await Promise.all([unwatchReadable(bad), unwatchReadable(good)]);
    for (const fd of [bad, good]) libc.close(fd);
    // deno-lint-ignore no-console -- as it is when a process starts
    setLogSink((line) => console.error(line));
  }
});
