import assert from "node:assert/strict";
import { Ip } from "../../net/mod.ts";
import { composeHosts, composeResolvConf } from "./files.ts";

const dns = Ip.parse("198.18.0.3");

const resolvConfs: [laptop: string, composed: string][] = [
  ["", "nameserver 198.18.0.3\n"],
  [
    "# mine\nnameserver 192.168.1.1\nsearch corp.test home.test\noptions edns0\noptions ndots:2\n",
    "nameserver 198.18.0.3\nsearch corp.test home.test\noptions edns0 ndots:2\n",
  ],
];

for (const [laptop, composed] of resolvConfs) {
  Deno.test(`composeResolvConf() leaves search list and options to the laptop: ${JSON.stringify(laptop)}`, () => {
    assert.equal(composeResolvConf(laptop, dns), composed);
  });
}

for (const laptop of ["", "127.0.0.1 localhost\n", "127.0.0.1 localhost"]) {
  Deno.test(`composeHosts() adds a line to ${JSON.stringify(laptop)}`, () => {
    const text = composeHosts(laptop, Ip.parse("198.18.0.4"));
    assert.deepEqual(text.split("\n"), [
      ...laptop === "" ? [] : ["127.0.0.1 localhost"],
      "198.18.0.4 laptop.tp.internal",
      "",
    ]);
  });
}
