import assert from "node:assert/strict";
// @ts-types="@types/dns-packet"
import type packet from "dns-packet";
import fc from "fast-check";
import { Ip } from "../net/mod.ts";
import { type AppAddresses, nameBehind } from "./app_addresses.ts";
import {
  address,
  decode,
  gist,
  query,
  receive,
  respond,
  start,
} from "./message_fake.ts";
import { addressOfReverseName, reverseNameOf } from "./reverse_name.ts";

/** What apps are told in place of the cluster's addresses; all others as they are. */
const told: Record<string, string> = {
  "10.96.0.7": "198.18.4.1",
  "10.96.0.9": "full",
  "fd00:96::7": "fd00:1::1",
  "fd00:96::9": "unreachable",
};
const addresses: AppAddresses = {
  toApp(ip) {
    const text = told[String(ip)] ?? String(ip);
    return text === "full" || text === "unreachable" ? text : Ip.parse(text);
  },
  behind(ip) {
    if (String(ip) === "198.18.4.9") return "nothing";
    if (String(ip) === "10.96.0.7") return "host";
    const found = Object.entries(told).find(([, text]) => text === String(ip));
    return found && Ip.parse(found[0]);
  },
};

async function ask(
  question: Uint8Array,
  answer: (question: Uint8Array) => Uint8Array,
) {
  await using dns = start({
    addresses,
    lookup: (question) => Promise.resolve(answer(question)),
  });
  const flow = dns.datagrams();
  flow.send(question);
  return await receive(flow);
}

const records = (...data: string[]) => (question: Uint8Array) =>
  respond(question, {
    answers: data.map((data) => ({
      type: data.includes(":") ? "AAAA" : "A",
      name: decode(question).questions![0]!.name,
      data,
      ttl: 30,
    })),
  });

const cases: [
  what: string,
  type: "A" | "AAAA",
  said: string[],
  told: string[],
  code?: number,
][] = [
  ["a virtual address", "A", ["10.96.0.7"], ["198.18.4.1"]],
  ["addresses of its own as they are", "A", ["10.96.0.8"], ["10.96.0.8"]],
  ["a virtual IPv6 address", "AAAA", ["fd00:96::7"], ["fd00:1::1"]],
  ["no address without a way", "AAAA", ["fd00:96::9"], []],
  [
    "what has room beside what has none",
    "A",
    ["10.96.0.9", "10.96.0.7"],
    ["198.18.4.1"],
  ],
  ["that it failed where nothing has room", "A", ["10.96.0.9"], [], 2],
];

for (const [what, type, said, expected, code = 0] of cases) {
  Deno.test(`Dns tells apps ${what}`, async () => {
    const answer = gist(await ask(query("web", { type }), records(...said)));
    assert.deepEqual([answer.code, answer.answers], [code, expected]);
  });
}

Deno.test("Dns tells virtual addresses beside an SRV record, whose TTL stays", async () => {
  const target = "web.bakery.svc.cluster.local";
  const answer = decode(
    await ask(
      query("_http._tcp.web.bakery", { type: "SRV" }),
      (question) =>
        respond(question, {
          answers: [{
            type: "SRV",
            name: decode(question).questions![0]!.name,
            ttl: 17,
            data: { port: 80, target },
          }],
          additionals: [
            { type: "A", name: target, ttl: 17, data: "10.96.0.7" },
            { type: "AAAA", name: target, ttl: 17, data: "fd00:96::9" },
          ],
        }),
    ),
  );
  const [srv] = answer.answers as packet.SrvAnswer[];
  assert.deepEqual([srv!.ttl, srv!.data.target], [17, target]);
  const glue = answer.additionals as packet.StringAnswer[];
  assert.deepEqual(glue.map(({ ttl, data }) => [ttl, data]), [[
    17,
    "198.18.4.1",
  ]]);
});

Deno.test("Dns keeps the cluster's own answer: what it tells changes with the addresses", async () => {
  let way: Ip = Ip.parse("10.96.0.7");
  let lookups = 0;
  await using dns = start({
    addresses: { toApp: () => way, behind: () => undefined },
    lookup: (question) => {
      lookups++;
      return Promise.resolve(address(question, "10.96.0.7"));
    },
  });
  const flow = dns.datagrams();
  for (const text of ["10.96.0.7", "198.18.4.1", "10.96.0.7"]) {
    way = Ip.parse(text);
    flow.send(query("web"));
    assert.deepEqual(gist(await receive(flow)).answers, [text]);
  }
  assert.equal(lookups, 1);
});

Deno.test("Dns gives a virtual address the name of the one behind it, none to a free one, and the host's to one of its own", async () => {
  const asked: string[] = [];
  const name = (question: Uint8Array) => {
    const { name } = decode(question).questions![0]!;
    asked.push(name);
    const data = "web.bakery.svc.cluster.local";
    return respond(question, { answers: [{ type: "PTR", name, data }] });
  };
  const virtual = "1.4.18.198.in-addr.arpa";
  const answer = await ask(query(virtual, { type: "PTR" }), name);
  assert.deepEqual(asked, ["7.0.96.10.in-addr.arpa"]);
  assert.equal(decode(answer).answers![0]!.name, virtual);
  assert.deepEqual(gist(answer).answers, ["web.bakery.svc.cluster.local"]);
  const free = query("9.4.18.198.in-addr.arpa", { type: "PTR" });
  assert.equal(gist(await ask(free, name)).code, 3);
  const hosts = query("7.0.96.10.in-addr.arpa", { type: "PTR" });
  assert.equal(gist(await ask(hosts, name)).code, 2, "there is no nameserver");
  assert.equal(asked.length, 1);
});

Deno.test("nameBehind() knows addresses of the internet only", () => {
  const name = reverseNameOf(Ip.parse("198.18.4.1"));
  const question = { name, type: 12, end: 0 };
  const of = (kind: number) =>
    nameBehind({ ...question, class: kind }, addresses)?.toString();
  assert.equal(of(1), "7.0.96.10.in-addr.arpa.");
  assert.equal(of(3), undefined);
});

Deno.test("reverseNameOf() is read back by addressOfReverseName()", () => {
  const ips = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  ).map((octets) => Ip.of(octets));
  fc.assert(fc.property(ips, (ip) => {
    assert.ok(addressOfReverseName(reverseNameOf(ip))!.equals(ip));
  }));
});
