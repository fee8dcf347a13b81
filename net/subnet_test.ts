import assert from "node:assert/strict";
import fc from "fast-check";
import { Ip } from "./ip.ts";
import { Subnet, subtractSubnets } from "./subnet.ts";

const texts = (subnets: Subnet[]) => subnets.map(String);
const parse = (...list: string[]) => list.map((text) => Subnet.parse(text));

Deno.test("Subnet.parse() clears host bits and takes a bare address as a subnet of one", () => {
  assert.equal(String(Subnet.parse("10.96.3.4/16")), "10.96.0.0/16");
  assert.equal(String(Subnet.parse("10.96.3.4")), "10.96.3.4/32");
  assert.equal(String(Subnet.parse("fd00:96::1/112")), "fd00:96::/112");
});

Deno.test("Subnet.parse() rejects what is not a subnet", () => {
  for (
    const text of [
      "",
      "10.0.0.0/33",
      "10.0.0.0/",
      "10.0.0.0/-1",
      "10.0.0.0/8/8",
      "x/8",
      "::/129",
    ]
  ) {
    assert.throws(() => Subnet.parse(text), SyntaxError, text);
  }
});

Deno.test("Subnet.contains() keeps the families apart", () => {
  assert.ok(Subnet.parse("0.0.0.0/0").contains(Ip.parse("1.2.3.4")));
  assert.ok(!Subnet.parse("::/0").contains(Ip.parse("1.2.3.4")));
});

Deno.test("subtractSubnets() leaves out one address", () => {
  assert.deepEqual(
    texts(subtractSubnets(parse("10.0.0.0/30"), parse("10.0.0.2"))),
    [
      "10.0.0.0/31",
      "10.0.0.3/32",
    ],
  );
});

Deno.test("subtractSubnets() drops doubles, the covered and the wholly excluded", () => {
  assert.deepEqual(
    texts(subtractSubnets(
      parse("10.1.0.0/16", "10.0.0.0/8", "10.0.0.0/8", "fd00::/64"),
      parse("fd00::/48"),
    )),
    ["10.0.0.0/8"],
  );
});

Deno.test("subtractSubnets() keeps every address that is in a subnet and in no hole", () => {
  const subnet = fc.tuple(
    fc.integer({ min: 0, max: 255 }),
    fc.integer({ min: 24, max: 32 }),
  )
    .map(([last, prefix]) =>
      new Subnet(Ip.of(new Uint8Array([10, 0, 0, last])), prefix)
    );
  fc.assert(
    fc.property(fc.array(subnet), fc.array(subnet), (subnets, holes) => {
      const rest = subtractSubnets(subnets, holes);
      for (let last = 0; last < 256; last++) {
        const ip = Ip.of(new Uint8Array([10, 0, 0, last]));
        const inside = (list: Subnet[]) =>
          list.filter((one) => one.contains(ip)).length;
        assert.equal(
          inside(rest),
          inside(subnets) > 0 && inside(holes) === 0 ? 1 : 0,
        );
      }
    }),
  );
});
