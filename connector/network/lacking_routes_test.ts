import assert from "node:assert/strict";
import { Ip, Subnet } from "../../net/mod.ts";
import type { HostRoute } from "../../vpn/mod.ts";
import { lackingRoutes } from "./lacking_routes.ts";

const route = (subnet: string, others: Partial<HostRoute> = {}): HostRoute => ({
  ...{ subnet: Subnet.parse(subnet), device: "tp0", onLink: false },
  ...{ metric: 2000, ...others },
});

Deno.test("lackingRoutes() wants a subnet's own route, and for an address one that holds it, by the device and in the main table", () => {
  const wanted = {
    subnets: ["10.96.0.0/16", "10.244.0.0/24", "fd00:96::/112"]
      .map(Subnet.parse),
    addresses: ["198.18.0.3", "fd74::3"].map(Ip.parse),
  };
  const lacking = (...routes: HostRoute[]) =>
    lackingRoutes(wanted, { routes, device: "tp0" }).map(String);
  assert.deepEqual(
    lacking(
      ...[route("10.96.0.0/16"), route("10.244.0.0/24")],
      ...[route("fd00:96::/112"), route("198.18.0.0/29"), route("fd74::/64")],
    ),
    [],
  );
  assert.deepEqual(
    lacking(
      route("10.0.0.0/8"),
      route("10.244.0.0/24", { table: 77 }),
      route("fd00:96::/112", { device: "vpn0" }),
      route("198.18.0.0/30"),
    ),
    ["10.96.0.0/16", "10.244.0.0/24", "fd00:96::/112", "fd74::3/128"],
  );
});
