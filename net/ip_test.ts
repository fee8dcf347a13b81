import assert from "node:assert/strict";
import fc from "fast-check";
import { formatEndpoint, Ip } from "./ip.ts";

const texts: { text: string; canonical?: string }[] = [
  { text: "0.0.0.0" },
  { text: "10.96.0.10" },
  { text: "255.255.255.255" },
  { text: "::" },
  { text: "::1" },
  { text: "fd00:96::a" },
  { text: "FD00:0:0:0:0:0:0:A", canonical: "fd00::a" },
  { text: "2001:db8:0:1:1:1:1:1" },
  { text: "2001:0:0:1::1", canonical: "2001:0:0:1::1" },
  { text: "::ffff:192.0.2.1", canonical: "::ffff:c000:201" },
  { text: "1:0:0:2:0:0:0:3", canonical: "1:0:0:2::3" },
];

Deno.test("Ip.parse() and Ip.toString() agree on canonical text", () => {
  for (const { text, canonical } of texts) {
    assert.equal(Ip.parse(text).toString(), canonical ?? text);
  }
});

Deno.test("Ip.tryParse() refuses what is not exactly an address", () => {
  const bad = [
    "",
    "1.2.3",
    "1..2.3",
    "1e2.0.0.1",
    "0x10.1.1.1",
    "010.1.1.1",
    "256.1.1.1",
  ]
    .concat([
      ":",
      ":::",
      "1:2",
      "1::2::3",
      "12345::",
      "::1.2.3",
      "1.2.3.4::",
      "fe80::1%eth0",
      "g::",
    ])
    .concat(["1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8:9", "1:2:3:4::5:6:7:8"]);
  for (const text of bad) assert.equal(Ip.tryParse(text), undefined, text);
});

Deno.test("Ip.tryParseZoned() takes the zone of a link-local IPv6 address, and of no other", () => {
  const zoned = Ip.tryParseZoned("fe80::1%eth0");
  assert.equal(String(zoned), "fe80::1%eth0");
  assert.equal(String(zoned?.bare), "fe80::1");
  assert.ok(!zoned?.equals(Ip.parse("fe80::1")));
  assert.equal(String(Ip.tryParseZoned("192.0.2.1")), "192.0.2.1");
  const bad = ["fe80::1%", "fe80::1%a b", "fe80::1%a%b", "fd00::1%eth0"]
    .concat("169.254.0.1%eth0", "%eth0", "none");
  for (const text of bad) assert.equal(Ip.tryParseZoned(text), undefined, text);
});

Deno.test("Ip survives text and integer round trips", () => {
  const octets = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  fc.assert(fc.property(octets, (bytes) => {
    const ip = Ip.of(bytes);
    assert.deepEqual(Ip.parse(ip.toString()).bytes, bytes);
    assert.ok(Ip.fromBigInt(ip.toBigInt(), ip.family).equals(ip));
  }));
});

Deno.test("Ip tells special addresses apart", () => {
  assert.ok(Ip.parse("127.8.8.8").isLoopback && Ip.parse("::1").isLoopback);
  assert.ok(
    Ip.parse("169.254.169.254").isLinkLocal && Ip.parse("febf::1").isLinkLocal,
  );
  assert.ok(!Ip.parse("fec0::1").isLinkLocal);
  assert.ok(Ip.parse("224.0.0.251").isMulticastOrBroadcast);
  assert.ok(Ip.parse("255.255.255.255").isMulticastOrBroadcast);
  assert.ok(Ip.parse("::").isUnspecified && !Ip.parse("::1").isUnspecified);
});

Deno.test("formatEndpoint() puts brackets around IPv6", () => {
  assert.equal(formatEndpoint(Ip.parse("1.2.3.4"), 80), "1.2.3.4:80");
  assert.equal(formatEndpoint(Ip.parse("fd00::1"), 443), "[fd00::1]:443");
});
