import assert from "node:assert/strict";
import fc from "fast-check";
import { Fqdn } from "./name.ts";

const table: { text: string; bytes: number[] }[] = [
  { text: ".", bytes: [0] },
  {
    text: "a.bc.",
    bytes: [
      1, // length of a label
      0x61, // "a"
      2,
      0x62, // "b"
      0x63, // "c"
      0, // the root
    ],
  },
  { text: "_x.Y.", bytes: [2, 0x5f, 0x78, 1, 0x59, 0] },
];

Deno.test("Fqdn.encode() and Fqdn.decode() agree on the wire", () => {
  for (const { text, bytes } of table) {
    const name = Fqdn.parse(text);
    assert.deepEqual([...name.encode()], bytes);
    const read = Fqdn.decode(new Uint8Array(bytes), 0);
    assert.equal(read?.end, bytes.length);
    assert.equal(String(read?.name), text);
  }
});

Deno.test("Fqdn.decode() follows pointers and ends behind the first", () => {
  const message = new Uint8Array([0xff, 1, 0x61, 0, 1, 0x62, 0xc0, 1, 0xff]);
  const read = Fqdn.decode(message, 4);
  assert.equal(String(read?.name), "b.a.");
  assert.equal(read?.end, 8);
});

Deno.test("Fqdn.decode() gives nothing for what is no name", () => {
  const bad: Record<string, number[]> = {
    "nothing": [],
    "no root": [1, 0x61],
    "a label cut short": [5, 0x61],
    "a pointer cut short": [0xc0],
    "a pointer to itself": [0xc0, 0],
    "a pointer forward": [0xc0, 2, 0],
    "a label of the reserved kind": [0x40, 0x61, 0],
    "more than 255 octets": Array.from({ length: 128 }, () => [1, 0x61]).flat()
      .concat(0),
  };
  for (const [what, bytes] of Object.entries(bad)) {
    assert.equal(Fqdn.decode(new Uint8Array(bytes), 0), undefined, what);
  }
});

Deno.test("Fqdn.decode() ends on every input", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(700), (bytes, at) => {
      const read = Fqdn.decode(bytes, at);
      assert.ok(read === undefined || read.name.octets <= 255);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("Fqdn.parse() refuses what is no name", () => {
  for (
    const text of ["..", ".a", "a..b", "ä", "a".repeat(64), "a.".repeat(128)]
  ) {
    assert.throws(() => Fqdn.parse(text), SyntaxError, text);
  }
});

Deno.test("Fqdn compares ASCII letters without case, and only those", () => {
  const [lower, upper] = [Fqdn.parse("web.Shop"), Fqdn.parse("WEB.shop")];
  assert.ok(lower.equals(upper));
  assert.equal(lower.key, upper.key);
  const octet = (value: number) =>
    Fqdn.decode(new Uint8Array([1, value, 0]), 0)!.name;
  assert.ok(!octet(0xe4).equals(octet(0xc4)));
});

Deno.test("Fqdn.key tells apart names whose labels differ only in their borders", () => {
  const one = Fqdn.decode(new Uint8Array([4, 0x61, 2, 0x62, 0x62, 0]), 0)!;
  const two = Fqdn.decode(new Uint8Array([1, 0x61, 2, 0x62, 0x62, 0]), 0)!;
  assert.notEqual(one.name.key, two.name.key);
});

Deno.test("Fqdn.toString() escapes dots inside labels and octets that do not print", () => {
  const name = Fqdn.decode(new Uint8Array([3, 0x2e, 0x5c, 7, 0]), 0)!.name;
  assert.equal(String(name), "\\.\\\\\\007.");
});

Deno.test("Fqdn.isIn() goes by whole labels", () => {
  const zone = Fqdn.parse("cluster.local");
  assert.ok(Fqdn.parse("a.Cluster.local").isIn(zone) && zone.isIn(zone));
  assert.ok(!Fqdn.parse("acluster.local").isIn(zone));
  assert.ok(!Fqdn.parse("local").isIn(zone));
});
