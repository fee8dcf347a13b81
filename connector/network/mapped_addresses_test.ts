import assert from "node:assert/strict";
import { Ip, RefusedError, Subnet } from "../../net/mod.ts";
import { world } from "../cluster/manager_fake.ts";
import { WorldView } from "../session/world_view.ts";
import { MappedAddresses } from "./mapped_addresses.ts";

const cluster = {
  ...world,
  serviceSubnets: [Subnet.parse("10.96.0.0/16")],
  podSubnets: [Subnet.parse("10.244.0.0/24")],
};

function setUp(addresses?: string[], also: string[] = []) {
  const view = new WorldView();
  view.set(
    addresses ? { ...cluster, addresses: addresses.map(Ip.parse) } : cluster,
  );
  const mapped = new MappedAddresses({
    view,
    also: () => also.map(Subnet.parse),
  });
  return { view, mapped };
}

const reached: [ip: string, isReached: boolean, also?: string[]][] = [
  ["10.96.0.7", true],
  ["10.96.0.8", false],
  ["10.244.0.9", false],
  // Outside of the cluster's subnets, as what is also proxied.
  ["203.0.113.7", true],
  // Asked for by the user, narrower than the cluster's subnet or as wide, and wider.
  ["10.96.0.8", true, ["10.96.0.8/32"]],
  ["10.244.0.9", true, ["10.244.0.0/24"]],
  ["10.96.0.8", false, ["10.0.0.0/8"]],
];

for (const [ip, isReached, also = []] of reached) {
  Deno.test(`MappedAddresses with one namespace and ${also.join() || "no more"}: ${ip} ${isReached ? "is" : "is not"} reached`, async () => {
    const { mapped } = setUp(["10.96.0.7"], also);
    const result = mapped.mustReach(Ip.parse(ip));
    if (isReached) return await result;
    await assert.rejects(
      result,
      (error) => error instanceof RefusedError && error.refusal === "forbidden",
    );
  });
}

Deno.test("MappedAddresses with all namespaces reaches every address", async () => {
  await setUp().mapped.mustReach(Ip.parse("10.96.0.8"));
});

Deno.test("MappedAddresses waits for an address that the manager is about to tell of", async () => {
  const { view, mapped } = setUp(["10.96.0.7"]);
  const reached = mapped.mustReach(Ip.parse("10.96.0.8"));
  view.set({ ...cluster, addresses: [Ip.parse("10.96.0.8")] });
  await reached;
  await assert.rejects(mapped.mustReach(Ip.parse("10.96.0.7")));
});
