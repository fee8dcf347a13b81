import assert from "node:assert/strict";
import { Subnet } from "../net/mod.ts";
import { formatJournal, type Journal, parseJournal } from "./journal.ts";

const resolver = { file: "/etc/r", original: "/etc/r.original", copy: "/v/r" };

const golden: [string, Journal, string][] = [
  [
    "a daemon that has changed nothing",
    { daemon: { pid: 47, start: "1208" }, resolver, unreachable: [] },
    "daemon 47 1208\nresolver /etc/r /etc/r.original /v/r\n",
  ],
  [
    "everything",
    {
      daemon: { pid: 47, start: "1208" },
      guard: { pid: 48, start: "1209" },
      resolver,
      unreachable: ["198.18.0.0/29", "fd00:1::/64"].map(Subnet.parse),
      device: { name: "tp0", index: 7 },
    },
    `daemon 47 1208
guard 48 1209
resolver /etc/r /etc/r.original /v/r
unreachable 198.18.0.0/29 4294967295
unreachable fd00:1::/64 4294967295
device tp0 7
`,
  ],
  [
    "macOS",
    {
      daemon: { pid: 47, start: "1795945227.004711" },
      resolver: { directory: "/etc/resolver" },
      unreachable: [],
      device: { name: "utun4", index: 17 },
    },
    `daemon 47 1795945227.004711
resolver-files /etc/resolver
device utun4 17
`,
  ],
];

for (const [what, journal, text] of golden) {
  Deno.test(`formatJournal() and parseJournal() agree on ${what}`, () => {
    assert.equal(formatJournal(journal), text);
    assert.deepEqual(parseJournal(text), journal);
  });
}

Deno.test("parseJournal() takes no text without a daemon or a resolver", () => {
  assert.equal(parseJournal(""), undefined);
  assert.equal(parseJournal("daemon 47 1208\n"), undefined);
  assert.equal(parseJournal("resolver a b c\n"), undefined);
});
