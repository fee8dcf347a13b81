import assert from "node:assert/strict";
import { Subnet } from "../../net/mod.ts";
import { reverseZones } from "./reverse_zones.ts";

const zonesOf = (texts: string[], max = 64) =>
  reverseZones(texts.map((text) => Subnet.parse(text)), max);

const table: [string, string[]][] = [
  ["10.0.0.0/8", ["10.in-addr.arpa"]],
  ["10.244.0.0/16", ["244.10.in-addr.arpa"]],
  ["10.244.3.0/24", ["3.244.10.in-addr.arpa"]],
  ["10.244.3.7/32", ["7.3.244.10.in-addr.arpa"]],
  ["10.96.0.0/14", [96, 97, 98, 99].map((n) => `${n}.10.in-addr.arpa`)],
  ["fd10::/16", ["0.1.d.f.ip6.arpa"]],
  ["fd10:a::/31", ["a.0.0.0.0.1.d.f.ip6.arpa", "b.0.0.0.0.1.d.f.ip6.arpa"]],
];

for (const [subnet, zones] of table) {
  Deno.test(`reverseZones() of ${subnet}`, () => {
    assert.deepEqual(zonesOf([subnet]), zones);
  });
}

Deno.test("reverseZones() widens what is too many, and names each once", () => {
  const nodes = Array.from({ length: 200 }, (_, n) => `10.244.${n}.0/24`);
  assert.deepEqual(zonesOf([...nodes, "10.244.0.0/17", "10.96.0.0/12"]), [
    "244.10.in-addr.arpa",
    "10.in-addr.arpa",
  ]);
  assert.deepEqual(zonesOf(nodes), ["244.10.in-addr.arpa"]);
  const apart = Array.from({ length: 100 }, (_, n) => `${n + 11}.0.0.0/8`);
  assert.equal(zonesOf(apart).length, 64);
});
