import assert from "node:assert/strict";
import { Subnet } from "../net/mod.ts";
import { ConnectError } from "./failure.ts";
import { world } from "./manager_fake.ts";
import { parseSubnetWishes, wantsSameSubnets } from "./subnet_wishes.ts";

const cluster = {
  ...world,
  serviceSubnets: [Subnet.parse("10.96.0.0/16")],
  podSubnets: [Subnet.parse("10.244.0.0/24"), Subnet.parse("10.244.1.0/24")],
};

const vnats: [vnat: string[], proxyVia: string[], subnets: string[]][] = [
  [[], [], []],
  [["10.0.0.7"], [], ["10.0.0.7/32"]],
  [["service", "172.16.0.0/12"], [], ["10.96.0.0/16", "172.16.0.0/12"]],
  [["all"], [], ["10.96.0.0/16", "10.244.0.0/24", "10.244.1.0/24"]],
  [[], ["pods=local"], ["10.244.0.0/24", "10.244.1.0/24"]],
  [["fd00::/64"], ["10.0.0.0/8=local"], ["fd00::/64", "10.0.0.0/8"]],
];

for (const [vnat, proxyVia, subnets] of vnats) {
  const flags = [...vnat, ...proxyVia].join(" ") || "nothing";
  Deno.test(`parseSubnetWishes() of ${flags}`, () => {
    const wishes = parseSubnetWishes({ vnat, proxyVia });
    assert.deepEqual(wishes.vnat(cluster).map(String), subnets);
  });
}

const refused: [asked: Parameters<typeof parseSubnetWishes>[0], RegExp][] = [
  [{ vnat: ["services"] }, /^Cannot use "services": it is no subnet/],
  [{ vnat: ["constructor"] }, /^Cannot use "constructor": it is no subnet/],
  [{ allowConflictingSubnets: ["10.96.0.0/33"] }, /"10\.96\.0\.0\/33"/],
  [{ allowConflictingSubnets: ["all"] }, /"all"/],
  [{ proxyVia: ["10.0.0.0/8"] }, /it is not SUBNET=WORKLOAD/],
  [{ proxyVia: ["all=web"] }, /"all" through "web"/],
];

for (const [asked, cause] of refused) {
  Deno.test(`parseSubnetWishes() refuses ${JSON.stringify(asked)}`, () => {
    assert.throws(() => parseSubnetWishes(asked), (error) => {
      assert.ok(error instanceof ConnectError);
      assert.equal(error.failure.kind, "setting-wrong");
      assert.match(error.message, cause);
      return true;
    });
  });
}

Deno.test("wantsSameSubnets() takes a request that does not say for one of the same", () => {
  const connected = { vnat: ["pods", "10.0.0.0/8"] };
  assert.ok(wantsSameSubnets({}, connected));
  assert.ok(wantsSameSubnets({ vnat: ["10.0.0.0/8", "pods"] }, connected));
  assert.ok(!wantsSameSubnets({ vnat: ["pods"] }, connected));
  assert.ok(!wantsSameSubnets({ proxyVia: ["pods=local"] }, connected));
});
