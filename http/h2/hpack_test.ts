import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { H2Error } from "./error.ts";
import { type H2Field, HpackDecoder, maxListBytes } from "./hpack_decoder.ts";
import { HpackEncoder } from "./hpack_encoder.ts";

function hex(text: string): Uint8Array {
  return Buffer.from(text.replaceAll(" ", ""), "hex");
}

const first: H2Field[] = [
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/"],
  [":authority", "www.example.com"],
];
const second: H2Field[] = [...first, ["cache-control", "no-cache"]];
const third: H2Field[] = [
  [":method", "GET"],
  [":scheme", "https"],
  [":path", "/index.html"],
  [":authority", "www.example.com"],
  ["custom-key", "custom-value"],
];
const responses: H2Field[][] = [
  [
    [":status", "302"],
    ["cache-control", "private"],
    ["date", "Mon, 21 Oct 2013 20:13:21 GMT"],
    ["location", "https://www.example.com"],
  ],
  [
    [":status", "307"],
    ["cache-control", "private"],
    ["date", "Mon, 21 Oct 2013 20:13:21 GMT"],
    ["location", "https://www.example.com"],
  ],
];

/** Blocks of one connection with what they hold: RFC 7541 appendix C. */
const examples: [string, [string, H2Field[]][]][] = [
  ["C.2.1: literal with indexing", [[
    "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
    [["custom-key", "custom-header"]],
  ]]],
  ["C.2.2: literal without indexing", [[
    "040c 2f73 616d 706c 652f 7061 7468",
    [[":path", "/sample/path"]],
  ]]],
  ["C.2.3: literal never indexed", [[
    "1008 7061 7373 776f 7264 0673 6563 7265 74",
    [["password", "secret", true]],
  ]]],
  ["C.2.4: indexed", [["82", [[":method", "GET"]]]]],
  ["C.3: requests without Huffman", [
    ["8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", first],
    ["8286 84be 5808 6e6f 2d63 6163 6865", second],
    [
      "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
      third,
    ],
  ]],
  ["C.4: requests with Huffman", [
    ["8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", first],
    ["8286 84be 5886 a8eb 1064 9cbf", second],
    ["8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", third],
  ]],
  ["C.6: responses with Huffman, table of 256 octets", [
    [
      "3fe1 01 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
      responses[0]!,
    ],
    ["4883 640e ffc1 c0bf", responses[1]!],
  ]],
];

for (const [name, blocks] of examples) {
  Deno.test(`HpackDecoder decodes RFC 7541 ${name}`, () => {
    const decoder = new HpackDecoder();
    for (const [block, fields] of blocks) {
      assert.deepEqual(decoder.decode(hex(block)), fields);
    }
  });
}

Deno.test("HpackDecoder evicts what its table has no room for", () => {
  const decoder = new HpackDecoder();
  decoder.decode(hex("3f21" + "4001 61 01 62"));
  assert.deepEqual(decoder.decode(hex("be")), [["a", "b"]]);
  decoder.decode(hex("4001 63 01 64"));
  assert.throws(() => decoder.decode(hex("bf")), H2Error);
});

const broken: [string, string][] = [
  ["index 0", "80"],
  ["an index past the table", "be"],
  ["a name index past the table", "7f00 01 61"],
  ["a table above 4096", "3fe2 1f"],
  ["a table size after a field", "8220"],
  ["a number without end", "ffffffffffffffffff"],
  ["a number that is cut", "ff80"],
  ["a string that is cut", "4003 6161"],
  ["no value", "4001 61"],
  ["Huffman padding of a whole octet", "4001 61 82 1fff"],
  ["Huffman padding of zeros", "4001 61 81 18"],
  ["the end's code", "4001 61 84 ffff ffff"],
];
for (const [name, block] of broken) {
  Deno.test(`HpackDecoder refuses ${name}`, () => {
    assert.throws(() => new HpackDecoder().decode(hex(block)), H2Error);
  });
}

Deno.test("HpackDecoder bounds what a small block grows to", () => {
  const decoder = new HpackDecoder();
  const value = "7f" + "a11e" + "61".repeat(4000);
  decoder.decode(hex("4001 61" + value));
  assert.equal(decoder.decode(new Uint8Array(60_000).fill(0xbe)), undefined);
  assert.equal(
    decoder.decode(new Uint8Array(10).fill(0xbe))?.length,
    10,
  );
  assert.ok(10 * 4033 < maxListBytes);
});

const name = fc.oneof(
  fc.constantFrom(":path", "accept", "cookie", "x-y"),
  fc.string({ unit: fc.constantFrom(..."abc-9"), minLength: 1 }),
);
const value = fc.string({
  unit: fc.constantFrom(..."a \xff\0z"),
  maxLength: 300,
});
const field = fc.tuple(name, value, fc.boolean()).map((
  [n, v, never],
): H2Field => never ? [n, v, true] : [n, v]);

Deno.test("HpackDecoder decodes what HpackEncoder encoded, block after block", () => {
  fc.assert(fc.property(
    fc.array(fc.array(field, { maxLength: 10 }), { maxLength: 5 }),
    (lists) => {
      const encoder = new HpackEncoder();
      const decoder = new HpackDecoder();
      for (const list of lists) {
        assert.deepEqual(decoder.decode(encoder.encode(list)), list);
      }
    },
  ));
});

Deno.test("HpackDecoder decodes any octets or refuses them with an H2Error", () => {
  let decoded = 0;
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 }),
      (blocks) => {
        const decoder = new HpackDecoder();
        try {
          for (const block of blocks) decoded += decoder.decode(block)!.length;
        } catch (error) {
          assert.ok(error instanceof H2Error, String(error));
        }
      },
    ),
    { numRuns: 20_000 },
  );
  assert.ok(decoded > 100);
});
