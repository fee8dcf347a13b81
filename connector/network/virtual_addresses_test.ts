import assert from "node:assert/strict";
import fc from "fast-check";
import { Ip, Subnet } from "../../net/mod.ts";
import { type ClusterAddress, VirtualAddresses } from "./virtual_addresses.ts";

const small = Subnet.parse("198.18.4.0/28");
const large = Subnet.parse("198.18.8.0/24");
const v6 = Subnet.parse("fd00:1::/124");

function open(...ranges: Subnet[]): VirtualAddresses {
  const space = new VirtualAddresses();
  for (const range of ranges) space.addRange(range);
  return space;
}

const at = (ip: string, connection = "one"): ClusterAddress => ({
  connection,
  ip: Ip.parse(ip),
});

Deno.test("a virtual address ends like the one behind it, where there is room", () => {
  const space = open(large, v6);
  const table: [ip: string, virtual: string, connection?: string][] = [
    ["10.96.0.10", "198.18.8.10"],
    ["10.96.7.10", "198.18.8.11"],
    ["10.96.0.11", "198.18.8.12"],
    ["10.96.0.10", "198.18.8.10"],
    ["10.96.0.10", "198.18.8.13", "two"],
    ["10.96.0.0", "198.18.8.1"],
    ["10.96.0.255", "198.18.8.2"],
    ["fd00:96::a", "fd00:1::a"],
  ];
  for (const [ip, virtual, connection] of table) {
    assert.equal(String(space.virtualOf(at(ip, connection))), virtual, ip);
  }
});

Deno.test("a full range is told; another one helps; what stood there stands", () => {
  const space = open(small);
  const ips = Array.from({ length: 15 }, (_, i) => at(`10.96.0.${i + 1}`));
  const first = ips.map((ip) => space.virtualOf(ip));
  assert.equal(first.filter((one) => one === undefined).length, 1);
  assert.equal(first[14], undefined);
  assert.deepEqual(space.ranges, [{ range: small, used: 14, size: 14 }]);
  assert.equal(space.virtualOf(at("fd00:96::1")), undefined);
  space.addRange(large);
  const again = ips.map((ip) => space.virtualOf(ip));
  assert.deepEqual(again.slice(0, 14), first.slice(0, 14));
  assert.ok(large.contains(again[14]!));
});

Deno.test("a range that is taken out leaves nothing behind, and others as they were", () => {
  const space = open(small, v6);
  const ip = space.virtualOf(at("10.96.0.3"))!;
  const other = space.virtualOf(at("fd00:96::3"))!;
  space.removeRange(small);
  assert.equal(space.behind(ip), undefined);
  assert.deepEqual(space.behind(other), at("fd00:96::3"));
  assert.equal(space.virtualOf(at("10.96.0.3")), undefined);
  space.addRange(large);
  assert.ok(large.contains(space.virtualOf(at("10.96.0.3"))!));
});

Deno.test("two connections share a space and are told apart, whatever they ask and give up", () => {
  const connection = fc.constantFrom("one", "two");
  const step = fc.oneof(
    fc.record({
      connection,
      ip: fc.tuple(fc.nat(3), fc.nat(7)).map(([a, b]) =>
        Ip.parse(`10.96.${a}.${b}`)
      ),
    }),
    connection,
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const space = open(small);
    const model = new Map<string, { virtual: string; of: ClusterAddress }>();
    for (const step of steps) {
      if (typeof step === "string") {
        space.release(step);
        for (const [key, { of }] of model) {
          if (of.connection === step) model.delete(key);
        }
        continue;
      }
      const key = `${step.connection} ${step.ip}`;
      const virtual = space.virtualOf(step);
      const known = model.get(key);
      if (known) assert.equal(String(virtual), known.virtual);
      else if (virtual === undefined) assert.equal(model.size, 14);
      else model.set(key, { virtual: String(virtual), of: step });
    }
    const virtual = [...model.values()].map(({ virtual }) => virtual);
    assert.equal(new Set(virtual).size, model.size);
    for (const { virtual, of } of model.values()) {
      assert.deepEqual(space.behind(Ip.parse(virtual)), of);
    }
    assert.equal(space.ranges[0]!.used, model.size);
    const free = Array.from({ length: 16 }, (_, i) => small.at(i))
      .filter((ip) => !virtual.includes(String(ip)));
    assert.ok(free.every((ip) => space.behind(ip) === "nothing"));
    assert.equal(space.behind(large.at(1)), undefined);
  }));
});
