import assert from "node:assert/strict";
import { ConnectError } from "../failure.ts";
import { parseProxyWishes, wantsSameProxied } from "./proxy_wishes.ts";

Deno.test("parseProxyWishes() tells subnets, addresses and names apart", () => {
  const { also, never } = parseProxyWishes({
    alsoProxy: ["203.0.113.0/24", "203.0.113.7", "db.example", "fd00:7::/64"],
    neverProxy: ["printer", "10.96.0.7", "10.0.0.0/8"],
  });
  assert.deepEqual(also.subnets.map(String), [
    ...["203.0.113.0/24", "203.0.113.7/32", "fd00:7::/64"],
  ]);
  assert.deepEqual(also.names.map(String), ["db.example."]);
  assert.deepEqual(never.subnets.map(String), ["10.96.0.7/32", "10.0.0.0/8"]);
  assert.deepEqual(never.names.map(String), ["printer."]);
});

const none = "it is no subnet like 10.96.0.0/16, address or name";
const refused: [text: string, state: string][] = [
  ["10.0.0.0/40", none],
  ["10.0.0.0/", none],
  ["10.0.0.300", none],
  ["http://db.example", none],
  ["db.example:80", none],
  ["db..example", none],
  ["a b", none],
  ["", none],
  [".", none],
  ["0.0.0.0/0", "it is a default route"],
  ["::/0", "it is a default route"],
  ["128.0.0.0/1", "it is wider than a /8"],
  ["fc00::/7", "it is wider than a /16"],
  ["127.0.0.1", "such addresses are each host's own"],
  ["169.254.169.254", "such addresses are each host's own"],
  ["224.0.0.251", "such addresses are each host's own"],
  ["fe80::1", "such addresses are each host's own"],
];

for (const [text, state] of refused) {
  for (const flag of ["alsoProxy", "neverProxy"] as const) {
    Deno.test(`parseProxyWishes() refuses "${text}" of ${flag}`, () => {
      assert.throws(() => parseProxyWishes({ [flag]: [text] }), (error) => {
        assert.ok(error instanceof ConnectError);
        assert.deepEqual(error.failure, {
          kind: "setting-wrong",
          cause: `Cannot use "${text}": ${state}`,
        });
        return true;
      });
    });
  }
}

Deno.test("parseProxyWishes() refuses what shall be both", () => {
  const both = ["203.0.113.0/24"];
  assert.throws(
    () => parseProxyWishes({ alsoProxy: both, neverProxy: both }),
    /^ConnectError: Cannot use "203.0.113.0\/24": it cannot be proxied both/,
  );
});

Deno.test("wantsSameProxied() takes a request that does not say for one of the same", () => {
  const connected = { alsoProxy: ["203.0.113.7", "db.example"] };
  assert.ok(wantsSameProxied({}, connected));
  assert.ok(
    wantsSameProxied({ alsoProxy: ["db.example", "203.0.113.7"] }, connected),
  );
  assert.ok(!wantsSameProxied({ alsoProxy: ["db.example"] }, connected));
  assert.ok(!wantsSameProxied({ neverProxy: ["10.96.0.7"] }, connected));
});
