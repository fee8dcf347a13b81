import assert from "node:assert/strict";
import {
  formatDirectEndpoint,
  parseDirectEndpoint,
} from "./direct_endpoint.ts";
import { formatDirectOffer, parseDirectOffer } from "./direct_offer.ts";

Deno.test("parseDirectEndpoint() reads what formatDirectEndpoint() writes", () => {
  const table: [string, string, number][] = [
    ["tunnel.example.com:443", "tunnel.example.com", 443],
    ["203.0.113.7:30741", "203.0.113.7", 30_741],
    ["[2001:db8::7]:1", "2001:db8::7", 1],
  ];
  for (const [text, host, port] of table) {
    assert.deepEqual(parseDirectEndpoint(text), { host, port });
    assert.equal(formatDirectEndpoint({ host, port }), text);
  }
});

Deno.test("parseDirectEndpoint() refuses what is no HOST:PORT", () => {
  const broken = [
    ...["", "host", ":443", "host:", "host:0", "host:65536", "host:x"],
    ...["a b:1", "-a:1", "2001:db8::7:1", "[::g]:1", "[1.2.3.4]:1"],
    ...["https://host:1", "host:1/", "host:1\n", `${"a.".repeat(127)}a:1`],
  ];
  for (const text of broken) {
    assert.throws(() => parseDirectEndpoint(text), SyntaxError, text);
  }
});

const offer = {
  endpoint: { host: "203.0.113.7", port: 443 },
  name: "one.manager.invalid",
  certificate: "-----BEGIN CERTIFICATE-----\n",
};

Deno.test("parseDirectOffer() reads what formatDirectOffer() writes, and what a later release adds", () => {
  const line = formatDirectOffer(offer);
  assert.doesNotMatch(line, /\n/);
  assert.deepEqual(parseDirectOffer(line), offer);
  const later = JSON.stringify({ ...JSON.parse(line), more: 1 });
  assert.deepEqual(parseDirectOffer(later), offer);
});

Deno.test("parseDirectOffer() refuses what is no offer", () => {
  const { endpoint: _, ...rest } = JSON.parse(formatDirectOffer(offer));
  const broken = [
    ...["", "null", "[]", "1", JSON.stringify(rest)],
    JSON.stringify({ ...rest, endpoint: "nowhere" }),
    JSON.stringify({ ...rest, endpoint: "a:1", name: "A B" }),
    JSON.stringify({ ...rest, endpoint: "a:1", certificate: 1 }),
    JSON.stringify({ ...rest, endpoint: "a:1", certificate: "x".repeat(2e4) }),
  ];
  for (const line of broken) {
    assert.throws(() => parseDirectOffer(line), SyntaxError, line);
  }
});
