import assert from "node:assert/strict";
import { Ip, Subnet } from "../net/mod.ts";
import { type HostFacts, refuseDevice, refuseRoute } from "./policy.ts";
import type { RefusalCode } from "./refusal.ts";

/** A laptop in a LAN, with docker and a VPN that has taken the default route by halves. */
const host: HostFacts = {
  onLink: ["192.168.1.0/24", "172.17.0.0/16", "10.8.0.0/24", "2001:db8:1::/64"]
    .map(Subnet.parse),
  routed: [
    "0.0.0.0/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "192.168.1.0/24",
    "172.17.0.0/16",
    "10.8.0.0/24",
    "10.20.0.0/16",
    "::/0",
    "2000::/3",
    "2001:db8:1::/64",
    "fd12::/32",
  ].map(Subnet.parse),
  nameservers: ["192.168.1.1", "10.20.0.53", "2001:db8:1::53"].map(Ip.parse),
};

const routes: [string, RefusalCode | undefined][] = [
  ["10.96.0.0/12", undefined],
  ["10.244.1.0/24", undefined],
  ["11.0.0.0/8", undefined],
  ["fd00:10:96::/112", undefined],
  ["fd00::/16", undefined],
  ["10.96.0.10/32", undefined],
  ["0.0.0.0/0", "subnet-default"],
  ["::/0", "subnet-default"],
  ["0.0.0.0/1", "subnet-too-wide"],
  ["128.0.0.0/1", "subnet-too-wide"],
  ["10.0.0.0/7", "subnet-too-wide"],
  ["2000::/3", "subnet-too-wide"],
  ["fc00::/15", "subnet-too-wide"],
  ["0.0.0.0/8", "subnet-loopback"],
  ["127.0.0.0/8", "subnet-loopback"],
  ["127.0.0.53/32", "subnet-loopback"],
  ["::1/128", "subnet-loopback"],
  ["::/16", "subnet-loopback"],
  ["169.254.0.0/16", "subnet-link-local"],
  ["169.254.169.254/32", "subnet-link-local"],
  ["169.0.0.0/8", "subnet-link-local"],
  ["fe80::/64", "subnet-link-local"],
  ["224.0.0.0/8", "subnet-multicast"],
  ["239.1.2.3/32", "subnet-multicast"],
  ["255.255.255.255/32", "subnet-multicast"],
  ["ff02::/16", "subnet-multicast"],
  ["192.168.1.0/24", "subnet-on-link"],
  ["192.168.1.7/32", "subnet-on-link"],
  ["172.17.5.0/24", "subnet-on-link"],
  ["2001:db8:1::/64", "subnet-on-link"],
  ["172.16.0.0/12", undefined], // wider than docker's subnet, which keeps its own route
  ["10.20.0.0/16", "subnet-nameserver"],
  ["10.20.0.53/32", "subnet-nameserver"],
  ["10.0.0.0/8", "subnet-nameserver"],
  ["10.20.1.0/24", undefined],
];

const devices: [string, RefusalCode | undefined][] = [
  ["198.18.0.0/29", undefined],
  ["172.31.0.0/24", undefined],
  ["fd00:7470::/64", undefined],
  ["198.18.0.0/23", "subnet-size"],
  ["198.18.0.0/30", "subnet-size"],
  ["fd00:7470::/48", "subnet-size"],
  ["fd00:7470::/126", "subnet-size"],
  ["0.0.0.0/0", "subnet-default"],
  ["127.0.1.0/29", "subnet-loopback"],
  ["169.254.1.0/29", "subnet-link-local"],
  ["fe80::/64", "subnet-link-local"],
  ["224.0.0.0/29", "subnet-multicast"],
  ["10.20.0.48/29", "subnet-nameserver"],
  ["10.20.5.0/29", "subnet-taken"],
  ["192.168.1.128/29", "subnet-taken"],
  ["fd12::/64", "subnet-taken"],
];

for (const [text, expected] of routes) {
  const verdict = expected ?? "allowed";
  Deno.test(`refuseRoute() of ${text}: ${verdict}`, () => {
    const found = refuseRoute(Subnet.parse(text), { ...host, routes: 0 });
    assert.equal(found, expected);
  });
}

for (const [text, expected] of devices) {
  const verdict = expected ?? "allowed";
  Deno.test(`refuseDevice() of ${text}: ${verdict}`, () => {
    assert.equal(refuseDevice(Subnet.parse(text), host), expected);
  });
}

Deno.test("refuseRoute() bounds the number of routes", () => {
  const subnet = Subnet.parse("10.96.0.0/12");
  assert.equal(refuseRoute(subnet, { ...host, routes: 8191 }), undefined);
  assert.equal(
    refuseRoute(subnet, { ...host, routes: 8192 }),
    "too-many-routes",
  );
});
