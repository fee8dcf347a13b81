import assert from "node:assert/strict";
import { Ip } from "../net/mod.ts";
import { whyNotVia } from "./via_subnets.ts";

const company = "203.0.113.0/24";
const cases: [ip: string, subnets: string[] | undefined, isDialled: boolean][] =
  [
    ["203.0.113.7", [company], true],
    ["203.0.113.7", ["10.0.0.0/8", "203.0.113.7/32"], true],
    ["203.0.114.7", [company], false],
    ["203.0.113.7", [], false],
    ["203.0.113.7", undefined, false],
    ["203.0.113.7", ["203.0.113.7/33", "all"], false],
    ["fd00::7", ["fd00::/8"], true],
    ["fd00::7", [company, "0.0.0.0/0"], false],
    ["127.0.0.1", ["0.0.0.0/0"], false],
    ["127.0.0.1", ["126.0.0.0/7"], false],
    ["127.0.0.1", ["127.0.0.0/8"], true],
    ["127.0.0.1", ["0.0.0.0/0", "127.0.0.1/32"], true],
    ["127.0.0.2", ["0.0.0.0/0", "127.0.0.1/32"], false],
    ["::1", ["::/0"], false],
    ["::1", ["::1/128"], true],
    ["::ffff:127.0.0.1", ["::/0"], false],
    ["::ffff:127.0.0.1", ["127.0.0.0/8"], false],
    ["::ffff:127.0.0.1", ["::ffff:127.0.0.0/104"], true],
    ["169.254.169.254", ["128.0.0.0/1"], false],
    ["169.254.169.254", ["169.254.169.254/32"], true],
    ["0.0.0.0", ["0.0.0.0/0", "0.0.0.0/32"], false],
    ["0.0.0.1", ["0.0.0.0/0"], false],
    ["::", ["::/0", "::/128"], false],
    ["::ffff:0.0.0.0", ["::/0"], false],
    ["224.0.0.1", ["224.0.0.0/4"], false],
    ["255.255.255.255", ["0.0.0.0/0"], false],
  ];

for (const [ip, subnets, isDialled] of cases) {
  const told = isDialled ? "is dialled" : "is not dialled";
  Deno.test(`whyNotVia(): ${ip} of ${subnets ?? "no list"} ${told}`, () => {
    assert.equal(whyNotVia(Ip.parse(ip), subnets) === undefined, isDialled);
  });
}
