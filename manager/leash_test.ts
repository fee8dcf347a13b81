import assert from "node:assert/strict";
import { Ip } from "../net/mod.ts";
import { parseExemptions } from "./exemption.ts";
import { type LeashFacts, whyForbidden } from "./leash.ts";

const facts: LeashFacts = {
  ownAddresses: [Ip.parse("10.244.0.7"), Ip.parse("fd00:244::7")],
  nodeAddresses: new Set(["192.0.2.10", "2001:db8::10"]),
  apiServers: [
    { ip: Ip.parse("192.0.2.10"), port: 6443 },
    { ip: Ip.parse("2001:db8::10"), port: 6443 },
  ],
  exemptions: [],
};

const may = (text: string, port: number, more: Partial<LeashFacts> = {}) =>
  whyForbidden({ ip: Ip.parse(text), port }, { ...facts, ...more }) ===
    undefined;

const open: [ip: string, port: number][] = [
  ["10.96.0.1", 443], // the API server's Service
  ["10.244.0.8", 7410], // another pod, whatever its port
  ["10.244.0.8", 10250],
  ["fd00:244::8", 80],
  ["192.0.2.10", 30_080], // a NodePort
  ["192.0.2.10", 22], // as any pod may
  ["192.0.2.11", 6443], // no API server
  ["198.51.100.1", 443], // the world
  ["240.0.0.1", 80],
];

const closed: [ip: string, port: number][] = [
  ["127.0.0.1", 7410],
  ["127.8.8.8", 80],
  ["::1", 80],
  ["0.0.0.0", 7410],
  ["0.1.2.3", 80],
  ["::", 80],
  ["224.0.0.251", 5353],
  ["255.255.255.255", 67],
  ["ff02::1", 80],
  ["10.244.0.7", 7411],
  ["10.244.0.7", 80],
  ["fd00:244::7", 7411],
  ["169.254.169.254", 80],
  ["169.254.0.1", 53],
  ["fe80::1", 80],
  ["100.100.100.200", 80],
  ["168.63.129.16", 80],
  ["fd00:ec2::254", 80],
  ["192.0.2.10", 10250],
  ["192.0.2.10", 10255],
  ["192.0.2.10", 10256],
  ["192.0.2.10", 10248],
  ["192.0.2.10", 10249],
  ["2001:db8::10", 10250],
  ["192.0.2.10", 6443],
  ["2001:db8::10", 6443],
  // The same in IPv6 dress.
  ["::ffff:127.0.0.1", 80],
  ["::ffff:10.244.0.7", 80],
  ["::ffff:169.254.169.254", 80],
  ["::ffff:192.0.2.10", 10250],
  ["64:ff9b::169.254.169.254", 80],
];

for (const [ip, port] of open) {
  Deno.test(`the leash lets the manager go to ${ip} port ${port}`, () => {
    assert.ok(may(ip, port));
  });
}

for (const [ip, port] of closed) {
  Deno.test(`the leash keeps the manager from ${ip} port ${port}`, () => {
    assert.ok(!may(ip, port));
  });
}

Deno.test("the leash holds for every address while the nodes are not known", () => {
  const unknown = { nodeAddresses: undefined, apiServers: undefined };
  assert.ok(!may("198.51.100.9", 10250, unknown));
  assert.ok(may("198.51.100.9", 443, unknown));
});

Deno.test("the leash gives way where an admin says so, and there alone", () => {
  const exemptions = parseExemptions(
    "169.254.169.254:80, 192.0.2.0/24  [2001:db8::10]:6443,127.0.0.1 10.244.0.7",
  );
  assert.ok(may("169.254.169.254", 80, { exemptions }));
  assert.ok(!may("169.254.169.254", 81, { exemptions }));
  assert.ok(may("::ffff:169.254.169.254", 80, { exemptions }));
  assert.ok(may("192.0.2.10", 10250, { exemptions }));
  assert.ok(may("2001:db8::10", 6443, { exemptions }));
  assert.ok(!may("2001:db8::10", 10250, { exemptions }));
  assert.ok(!may("127.0.0.1", 80, { exemptions }));
  assert.ok(!may("10.244.0.7", 7410, { exemptions }));
});

Deno.test("parseExemptions() reads subnets and ports of both families", () => {
  const parsed = parseExemptions(
    "10.0.0.1 10.0.0.0/8:53 fd00::/8 [fd00::1]:80",
  );
  assert.deepEqual(
    parsed.map(({ subnet, port }) => [String(subnet), port]),
    [
      ["10.0.0.1/32", undefined],
      ["10.0.0.0/8", 53],
      ["fd00::/8", undefined],
      ["fd00::1/128", 80],
    ],
  );
  assert.deepEqual(parseExemptions(""), []);
});

Deno.test("parseExemptions() rejects what it can not read", () => {
  for (
    const text of [
      "host",
      "10.0.0.1:0",
      "10.0.0.1:65536",
      "[fd00::1",
      "10.0.0.1:x",
    ]
  ) {
    assert.throws(() => parseExemptions(text), SyntaxError, text);
  }
});
