import assert from "node:assert/strict";
import { setLogSink } from "../../log.ts";
import { world } from "../cluster/manager_fake.ts";
import { BroughtFlows } from "../../manager/api.ts";
import type { ManagerLink } from "../session/link.ts";
import { WorldView } from "../session/world_view.ts";
import { parseDnsSettings } from "./dns_settings.ts";
import { NetworkMember } from "./network_member.ts";
import { parseProxyWishes } from "./proxy_wishes.ts";
import { parseSubnetWishes } from "./subnet_wishes.ts";
import { VirtualAddresses } from "./virtual_addresses.ts";

setLogSink(() => {});

Deno.test("NetworkMember leaves it to its host to follow where carriers go, and to tell what fails", async () => {
  const view = new WorldView();
  view.set(world);
  let moves = 0;
  const member = new NetworkMember({
    name: "one",
    access: { server: new URL("https://192.0.2.1:6443") } as never,
    link: {} as ManagerLink,
    brought: new BroughtFlows(),
    view,
    search: () => [],
    rules: parseDnsSettings(),
    wishes: parseSubnetWishes({}),
    proxyWishes: parseProxyWishes({}),
    mapped: undefined,
  }, {
    virtual: new VirtualAddresses(),
    addressesOf: () => Promise.resolve([]),
    isInUse: () => false,
    onChange: () => assert.fail("nobody would hear of its failure"),
    onMoved: () => moves++,
  });
  using hosts = member.carrierHosts;
  await hosts.look();
  assert.equal(moves, 1);
});
