import assert from "node:assert/strict";
import fc from "fast-check";
import { MessageAssembly } from "./_message_assembly.ts";
import { decodeMessage, encodeMessage, messageSize } from "./api.ts";

const messages = [
  encodeMessage({ kind: "hello", sequence: 1 }),
  encodeMessage({ kind: "device", name: "utun4", sequence: 2 }),
  encodeMessage({ kind: "done", sequence: 3 }),
];

Deno.test("MessageAssembly gives the messages however the octets come, each with its descriptor", () => {
  const flow = messages.flatMap((bytes) => [...bytes]);
  const chunks = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 });
  fc.assert(fc.property(chunks, (sizes) => {
    const assembly = new MessageAssembly();
    const got: [string, number | undefined][] = [];
    for (let at = 0, turn = 0; at < flow.length; turn++) {
      const { room } = assembly;
      const count = Math.min(
        ...[sizes[turn % sizes.length]!, room.length, flow.length - at],
      );
      room.set(flow.slice(at, at + count));
      // A descriptor comes with the first octet of the message that it was sent with.
      const fd = at === messageSize ? 7 : undefined;
      const message = assembly.take(count, fd);
      if (message) got.push([decodeMessage(message.bytes).kind, message.fd]);
      at += count;
    }
    assert.deepEqual(got, [
      ["hello", undefined],
      ["device", 7],
      ["done", undefined],
    ]);
  }));
});

Deno.test("MessageAssembly tells a message of another version at its first octets", () => {
  const assembly = new MessageAssembly();
  assembly.room.set([99, 1, 2]);
  const message = assembly.take(3);
  assert.throws(() => decodeMessage(message!.bytes), {
    name: "MessageError",
    code: "version",
  });
});
