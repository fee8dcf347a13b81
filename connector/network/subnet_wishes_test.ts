import assert from "node:assert/strict";
import { Ip, Subnet } from "../../net/mod.ts";
import { world } from "../cluster/manager_fake.ts";
import { ConnectError } from "../failure.ts";
import {
  parseSubnetWishes,
  viaOf,
  virtualSubnets,
  wantsSameSubnets,
} from "./subnet_wishes.ts";

const cluster = {
  ...world,
  serviceSubnets: [Subnet.parse("10.96.0.0/16")],
  podSubnets: [Subnet.parse("10.244.0.0/24"), Subnet.parse("10.244.1.0/24")],
};
const reached = { world: cluster, also: [Subnet.parse("203.0.113.7")] };

const vnats: [vnat: string[], proxyVia: string[], subnets: string[]][] = [
  [[], [], []],
  [["10.0.0.7"], [], ["10.0.0.7/32"]],
  [["service", "172.16.0.0/12"], [], ["10.96.0.0/16", "172.16.0.0/12"]],
  [["all"], [], [
    ...["10.96.0.0/16", "10.244.0.0/24", "10.244.1.0/24", "203.0.113.7/32"],
  ]],
  [["also"], [], ["203.0.113.7/32"]],
  [[], ["service=orders/web"], ["10.96.0.0/16"]],
  [[], ["pods=local"], ["10.244.0.0/24", "10.244.1.0/24"]],
  [["fd00::/64"], ["10.0.0.0/8=local"], ["10.0.0.0/8", "fd00::/64"]],
];

for (const [vnat, proxyVia, subnets] of vnats) {
  const flags = [...vnat, ...proxyVia].join(" ") || "nothing";
  Deno.test(`parseSubnetWishes() of ${flags}`, () => {
    const wishes = parseSubnetWishes({ vnat, proxyVia });
    const virtual = virtualSubnets(wishes, reached);
    assert.deepEqual(virtual.map(String), subnets);
  });
}

const refused: [asked: Parameters<typeof parseSubnetWishes>[0], RegExp][] = [
  [
    { vnat: ["services"] },
    /^Cannot use "services": it is no subnet like 10.96.0.0\/16, and none of service, pods, also, all$/,
  ],
  [{ vnat: ["constructor"] }, /^Cannot use "constructor": it is no subnet/],
  [{ allowConflictingSubnets: ["10.96.0.0/33"] }, /"10\.96\.0\.0\/33"/],
  [{ allowConflictingSubnets: ["all"] }, /"all"/],
  [{ proxyVia: ["10.0.0.0/8"] }, /it is not SUBNET=WORKLOAD/],
  [{ proxyVia: ["services=web"] }, /^Cannot use "services"/],
  [{ proxyVia: ["all=a/b/c/d"] }, /"a\/b\/c\/d" is no workload like web/],
  [{ proxyVia: ["all=/web"] }, /"\/web" is no workload/],
];

const workloads: [text: string, namespace: string | undefined, string][] = [
  ["web", undefined, "web"],
  ["deployment/web", undefined, "deployment/web"],
  ["StatefulSet/web", undefined, "StatefulSet/web"],
  ["orders/web", "orders", "web"],
  ["orders/deployment/web", "orders", "deployment/web"],
  ["deployment/deployment/web", "deployment", "deployment/web"],
];

for (const [text, namespace, workload] of workloads) {
  Deno.test(`parseSubnetWishes() reads the workload ${text}`, () => {
    const wishes = parseSubnetWishes({ proxyVia: [`10.0.0.0/8=${text}`] });
    const via = wishes.virtual[0]?.via;
    assert.deepEqual(
      [via?.text, via?.namespace, via?.workload],
      [text, namespace, workload],
    );
  });
}

const vias: [ip: string, text: string | undefined][] = [
  ["10.96.0.7", "all"],
  ["10.244.1.7", "pods"],
  ["10.244.0.7", undefined], // a narrower one says from the manager's pod
  ["203.0.113.7", "also"],
  ["192.0.2.1", undefined],
];

for (const [ip, text] of vias) {
  Deno.test(`viaOf() of ${ip} is ${text ?? "none"}`, () => {
    const wishes = parseSubnetWishes({
      proxyVia: ["also=also", "all=all", "10.244.0.0/25=local"]
        .concat("10.244.0.0/16=wider", "10.244.1.0/25=pods"),
      vnat: ["service"],
    });
    assert.equal(viaOf(Ip.parse(ip), wishes, reached)?.text, text);
  });
}

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
