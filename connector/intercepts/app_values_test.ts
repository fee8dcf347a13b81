import assert from "node:assert/strict";
import fc from "fast-check";
import { Ip } from "../../net/mod.ts";
import { valuesForApp } from "./app_values.ts";

const told: Record<string, string> = {
  "10.96.0.7": "198.18.0.7",
  "fd00:96::7": "fd74::7",
};
const toApp = (ip: Ip) => Ip.parse(told[String(ip)] ?? String(ip));

const values: [value: string, expected: string][] = [
  ["10.96.0.7", "198.18.0.7"],
  ["tcp://10.96.0.7:80", "tcp://198.18.0.7:80"],
  [
    "10.96.0.7:80,10.96.0.8:80,10.96.0.7:81",
    "198.18.0.7:80,10.96.0.8:80,198.18.0.7:81",
  ],
  [
    "http://user:secret@10.96.0.7/path?x=10.96.0.7",
    "http://user:secret@198.18.0.7/path?x=198.18.0.7",
  ],
  ["fd00:96::7", "fd74::7"],
  ["FD00:96:0::7", "fd74::7"],
  ["redis://[fd00:96::7]:6379", "redis://[fd74::7]:6379"],
  ["10.96.0.70", "10.96.0.70"],
  ["110.96.0.7", "110.96.0.7"],
  ["1.10.96.0.7", "1.10.96.0.7"],
  ["10.96.0.7.example.com", "10.96.0.7.example.com"],
  ["v10.96.0.7", "v10.96.0.7"],
  ["ip-10.96.0.7", "ip-10.96.0.7"],
  ["12:34:56", "12:34:56"],
  ["a::b::c", "a::b::c"],
  ["", ""],
];

for (const [value, expected] of values) {
  Deno.test(`valuesForApp() makes "${expected}" of "${value}"`, () => {
    assert.deepEqual(valuesForApp({ NAME: value }, toApp), { NAME: expected });
  });
}

Deno.test("valuesForApp() leaves everything as it is where no address is another", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string()), (environment) => {
      const same = valuesForApp(environment, (ip) => ip);
      assert.deepEqual(same, { ...environment });
    }),
  );
});
