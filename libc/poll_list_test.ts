import assert from "node:assert/strict";
import { Libc } from "./libc.ts";
import { PollList } from "./poll_list.ts";

const calls = {
  pipe: { parameters: ["buffer"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
  poll: { parameters: ["buffer", "usize", "i32"], result: "i32" },
} as const;

Deno.test("a PollList is an array of struct pollfd", () => {
  const { bytes, length } = new PollList([3, 0x0102]);
  assert.equal(length, 2);
  assert.equal(
    bytes.toHex(),
    "03000000" + "0100" + "0000" + // descriptor, POLLIN, nothing told
      "02010000" + "0100" + "0000",
  );
});

Deno.test("PollList.told() tells what can be read and what has gone", () => {
  using libc = new Libc(calls);
  const { pipe, write, close, poll } = libc.call;
  const pipes = [1, 2].map(() => {
    const ends = new Int32Array(2);
    assert.equal(pipe(new Uint8Array(ends.buffer)), 0);
    return { from: ends[0]!, to: ends[1]! };
  });
  const list = new PollList(pipes.map(({ from }) => from));
  const look = () => {
    poll(list.bytes, BigInt(list.length), 0);
    return [list.told(0), list.told(1)];
  };
  assert.deepEqual(look(), [undefined, undefined]);
  write(pipes[1]!.to, new Uint8Array(1), 1n);
  assert.deepEqual(look(), [undefined, "readable"]);
  close(pipes[0]!.to);
  assert.deepEqual(look(), ["gone", "readable"]);
  close(pipes[1]!.to);
  for (const { from } of pipes) close(from);
});
