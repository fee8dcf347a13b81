import assert from "node:assert/strict";
import fc from "fast-check";
import { Ip, Subnet } from "../net/mod.ts";
import { pickVirtualRange, virtualPrefix } from "./pick_virtual_range.ts";

const prefixes: [subnets: string[], family: 4 | 6, prefix: number][] = [
  [["10.0.0.1/32"], 4, 24],
  [["10.0.0.0/25"], 4, 24],
  [["10.0.0.0/24"], 4, 23],
  [["10.0.0.0/24", "10.0.1.0/24"], 4, 22],
  [["10.96.0.0/16"], 4, 16],
  [["10.0.0.0/8", "172.16.0.0/12"], 4, 16],
  [["fd00:96::/120"], 6, 119],
  [["fd00::/64"], 6, 112],
];

for (const [subnets, family, prefix] of prefixes) {
  Deno.test(`virtualPrefix() of ${subnets.join(" and ")} is /${prefix}`, () => {
    const parsed = subnets.map(Subnet.parse);
    assert.equal(virtualPrefix(parsed, family), prefix);
  });
}

Deno.test("pickVirtualRange() takes the first range that nothing overlaps", () => {
  const pick = (prefix: number, ...taken: string[]) =>
    String(
      pickVirtualRange({
        ...{ family: 4, prefix },
        taken: taken.map(Subnet.parse),
      }),
    );
  const device = "198.18.0.0/29";
  assert.equal(pick(24, device), "198.18.1.0/24");
  assert.equal(pick(16, device), "198.19.0.0/16");
  assert.equal(pick(16, device, "198.19.4.0/24"), "246.246.0.0/16");
  assert.equal(pick(16, "198.18.0.0/15", "246.0.0.0/8"), "172.16.0.0/16");
  const most = ["198.18.0.0/15", "246.0.0.0/8", "172.16.0.0/12"];
  assert.equal(pick(16, ...most), "10.0.0.0/16");
  assert.equal(pick(16, ...most, "10.0.0.0/8"), "undefined");
});

Deno.test("pickVirtualRange() goes out of the way of a tunnel for all unique local addresses", () => {
  const taken = [Subnet.parse("fc00::/7")];
  const range = pickVirtualRange({ family: 6, prefix: 112, taken });
  assert.equal(String(range), "2001:2::/112");
});

Deno.test("pickVirtualRange() never overlaps what is taken, in either family", () => {
  const near = (base: string, prefixes: { min: number; max: number }) =>
    fc.tuple(fc.bigInt(0n, 1n << 24n), fc.integer(prefixes)).map(
      ([n, prefix]) => {
        const { family, bits } = Ip.parse(base);
        const offset = family === 4 ? n >> 8n : n << 56n;
        const value = Ip.parse(base).toBigInt() + offset;
        return new Subnet(
          Ip.fromBigInt(value % (1n << BigInt(bits)), family),
          prefix,
        );
      },
    );
  const taken = fc.array(
    fc.oneof(
      near("198.18.0.0", { min: 15, max: 32 }),
      near("246.246.0.0", { min: 12, max: 32 }),
      near("fd74:705f:6b3e:8000::", { min: 49, max: 128 }),
    ),
    { maxLength: 12 },
  );
  fc.assert(fc.property(taken, fc.constantFrom(4, 6), (taken, family) => {
    const prefix = family === 4 ? 22 : 112;
    const range = pickVirtualRange({ family, prefix, taken });
    assert.equal(range?.prefix, prefix);
    assert.ok(!taken.some((subnet) => subnet.overlaps(range!)));
  }));
});
