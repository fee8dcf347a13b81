import assert from "node:assert/strict";
import fc from "fast-check";
import { Ip } from "./ip.ts";
import { joinSubnets, Subnet, subtractSubnets } from "./subnet.ts";

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

const someSubnet = fc.tuple(
  fc.integer({ min: 0, max: 255 }),
  fc.integer({ min: 24, max: 32 }),
).map(([last, prefix]) =>
  new Subnet(Ip.of(new Uint8Array([10, 0, 0, last])), prefix)
);

Deno.test("Subnet.contains() agrees with the arithmetic of integers", () => {
  const address = fc.uint8Array({ minLength: 4, maxLength: 4 });
  const prefix = fc.integer({ min: 0, max: 32 });
  fc.assert(fc.property(address, address, prefix, (base, other, prefix) => {
    // Near addresses are the hard ones.
    for (const octets of [other, Uint8Array.of(...base.slice(0, 3), 7)]) {
      const ip = Ip.of(octets);
      const subnet = new Subnet(Ip.of(base), prefix);
      assert.equal(
        subnet.contains(ip),
        new Subnet(ip, prefix).base.equals(subnet.base),
      );
    }
  }));
});

Deno.test("joinSubnets() joins halves, and what is a half only then", () => {
  assert.deepEqual(
    texts(joinSubnets(parse(
      ...["10.0.3.0/24", "10.0.1.0/24", "10.0.2.0/24", "10.0.0.0/24"],
      ...["10.0.5.0/24", "10.0.6.0/24", "10.0.6.7", "fd00::/65"],
      "fd00::8000:0:0:0/65",
    ))),
    ["10.0.0.0/22", "10.0.5.0/24", "10.0.6.0/24", "fd00::/64"],
  );
  assert.deepEqual(
    texts(joinSubnets(parse("0.0.0.0/1", "128.0.0.0/1"))),
    ["0.0.0.0/0"],
  );
});

Deno.test("joinSubnets() holds the same addresses in no more subnets, each once", () => {
  fc.assert(fc.property(fc.array(someSubnet), (subnets) => {
    const joined = joinSubnets(subnets);
    assert.ok(joined.length <= subnets.length);
    assert.deepEqual(joinSubnets(joined), joined);
    for (let last = 0; last < 256; last++) {
      const ip = Ip.of(new Uint8Array([10, 0, 0, last]));
      const inside = joined.filter((one) => one.contains(ip)).length;
      assert.equal(inside, subnets.some((one) => one.contains(ip)) ? 1 : 0);
    }
  }));
});

Deno.test("subtractSubnets() keeps every address that is in a subnet and in no hole", () => {
  const list = fc.array(someSubnet);
  fc.assert(
    fc.property(list, list, (subnets, holes) => {
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
