/** Answers that more than one has a part in. */
import assert from "node:assert/strict";
// @ts-types="@types/dns-packet"
import type packet from "dns-packet";
import { FakeClock } from "../net/clock_fake.ts";
import { Subnet } from "../net/mod.ts";
import {
  address,
  decode,
  gist,
  home,
  noSuchName,
  query,
  receive,
  respond,
  soa,
  start,
  zones,
} from "./message_fake.ts";
import { type NameSettings, parseNameRules } from "./name_rules.ts";
import { FakeNameserver } from "./nameserver_fake.ts";

const nameOf = (question: Uint8Array) => decode(question).questions![0]!.name;

/** The answers, an owner and what it has each. */
function told(message: Uint8Array): string[] {
  return decode(message).answers!.map((record) => {
    const { name, type, data } = record as packet.StringAnswer;
    return `${name} ${type} ${data}`;
  });
}

/** The cluster says that `web.bakery` is an alias of each of `targets` in turn, and that the last has `data`. */
function chain(
  question: Uint8Array,
  { targets, data, code = 0 }: {
    targets: string[];
    data?: string;
    code?: number;
  },
): Uint8Array {
  const names = [nameOf(question), ...targets];
  const ttl = 30;
  const aliases = targets.map((target, i) => ({
    ...{ type: "CNAME" as const, name: names[i]!, data: target, ttl },
  }));
  const last = data === undefined ? [] : [{
    ...{ type: "A" as const, name: names.at(-1)!, data, ttl },
  }];
  return respond(question, {
    flags: code,
    answers: [...aliases, ...last],
    ...data === undefined ? { authorities: [soa] } : {},
  });
}

const chains: {
  what: string;
  cluster: Parameters<typeof chain>[1];
  host?: string;
  told: string[];
}[] = [
  {
    what: "the target is inside: the cluster's answer",
    cluster: { targets: ["pg.mill.svc.cluster.local"], data: "10.96.0.7" },
    host: "192.0.2.9",
    told: [
      "web.bakery CNAME pg.mill.svc.cluster.local",
      "pg.mill.svc.cluster.local A 10.96.0.7",
    ],
  },
  {
    what: "the target's name is outside, its address inside: the cluster's",
    cluster: { targets: ["pg.example.com"], data: "10.96.0.7" },
    host: "192.0.2.9",
    told: ["web.bakery CNAME pg.example.com", "pg.example.com A 10.96.0.7"],
  },
  {
    what: "the target is outside: as the host knows it",
    cluster: { targets: ["pg.example.com"], data: "172.31.0.7" },
    host: "192.0.2.9",
    told: ["web.bakery CNAME pg.example.com", "pg.example.com A 192.0.2.9"],
  },
  {
    what: "the cluster does not know the target: as the host knows it",
    cluster: { targets: ["pg.mill.svc.cluster.local", "pg.test"], code: 3 },
    host: "192.0.2.9",
    told: [
      "web.bakery CNAME pg.mill.svc.cluster.local",
      "pg.mill.svc.cluster.local CNAME pg.test",
      "pg.test A 192.0.2.9",
    ],
  },
  {
    what: "the host does not know the target: the cluster's answer",
    cluster: { targets: ["pg.example.com"], data: "172.31.0.7" },
    told: ["web.bakery CNAME pg.example.com", "pg.example.com A 172.31.0.7"],
  },
  {
    what: "a chain that closes: the cluster's answer",
    cluster: { targets: ["web.bakery.svc.cluster.local"] },
    host: "192.0.2.9",
    told: ["web.bakery CNAME web.bakery.svc.cluster.local"],
  },
];

for (const { what, cluster, host, told: expected } of chains) {
  Deno.test(`Dns follows an alias of the cluster; ${what}`, async () => {
    await using nameserver = await FakeNameserver.start((question) =>
      host ? address(question, host) : noSuchName(question)
    );
    await using dns = start({
      zones: () => ({ ...zones, subnets: [Subnet.parse("10.96.0.0/16")] }),
      lookup: (question) => Promise.resolve(chain(question, cluster)),
      nameservers: () => [home],
      nameserverPort: nameserver.port,
    });
    const flow = dns.datagrams();
    flow.send(query("web.bakery"));
    assert.deepEqual(told(await receive(flow)), expected);
  });
}

/** What is told of `name` for a user who says `settings`; the cluster and the host have one address each. */
async function toldFor(
  settings: NameSettings,
  name: string,
  type: packet.RecordType = "A",
): Promise<string[]> {
  await using nameserver = await FakeNameserver.start((question) =>
    address(question, "192.0.2.9")
  );
  await using dns = start({
    zones: () => ({ ...zones, rules: parseNameRules(settings) }),
    lookup: (question) => Promise.resolve(address(question, "10.96.0.7")),
    nameservers: () => [home],
    nameserverPort: nameserver.port,
  });
  const flow = dns.datagrams();
  flow.send(query(name, { type }));
  const answer = await receive(flow);
  assert.equal(gist(answer).code, 0);
  return told(answer);
}

Deno.test("Dns answers a name that stands for another with what that has, whoever knows it", async () => {
  const mappings = [
    { name: "db", aliasFor: "pg" },
    { name: "pg", aliasFor: "pg.bakery" },
    { name: "out.test", aliasFor: "www.example.com" },
    { name: "four.test", aliasFor: "192.0.2.1" },
    { name: "six.test", aliasFor: "2001:db8::1" },
  ];
  const says = { mappings };
  assert.deepEqual(await toldFor(says, "DB"), [
    "DB CNAME pg",
    "pg CNAME pg.bakery",
    "pg.bakery A 10.96.0.7",
  ]);
  assert.deepEqual(await toldFor(says, "out.test"), [
    "out.test CNAME www.example.com",
    "www.example.com A 192.0.2.9",
  ]);
  assert.deepEqual(await toldFor(says, "db", "CNAME"), ["db CNAME pg"]);
  assert.deepEqual(await toldFor(says, "four.test"), [
    "four.test A 192.0.2.1",
  ]);
  assert.deepEqual(await toldFor(says, "four.test", "AAAA"), []);
  assert.deepEqual(await toldFor(says, "six.test", "AAAA"), [
    "six.test AAAA 2001:db8::1",
  ]);
});

Deno.test("Dns takes the cluster's word for an included name, and the host's for an excluded one", async () => {
  const says = { includeSuffixes: ["corp.test"], excludes: ["web.bakery"] };
  assert.deepEqual(await toldFor(says, "db.corp.test"), [
    "db.corp.test A 10.96.0.7",
  ]);
  assert.deepEqual(await toldFor(says, "web.bakery"), [
    "web.bakery A 192.0.2.9",
  ]);
});

Deno.test("Dns tells who speaks a later EDNS so, and says again that DNSSEC is understood", async () => {
  await using dns = start({
    lookup: (question) => Promise.resolve(address(question, "10.96.0.7")),
  });
  const flow = dns.datagrams();
  const ask = async (version: number, flags: number) => {
    // OPT: root, type 41, 1232 octets, extended code 0, version, flags, no options.
    const opt = [0, 0, 41, 4, 208, 0, version, flags, 0, 0, 0];
    const message = new Uint8Array([...query("web"), ...opt]);
    message[11] = 1;
    flow.send(message);
    const { answers, additionals } = decode(await receive(flow));
    const [told] = additionals as packet.OptAnswer[];
    return [answers!.length, told!.extendedRcode, told!.flag_do];
  };
  assert.deepEqual(await ask(0, 0), [1, 0, false]);
  assert.deepEqual(await ask(0, 0x80), [1, 0, true]);
  assert.deepEqual(await ask(1, 0), [0, 1, false]);
});

Deno.test("Dns lets nobody who asks for the outside wait for a cluster that is silent", async () => {
  const clock = new FakeClock();
  await using nameserver = await FakeNameserver.start((question) =>
    address(question, "192.0.2.9")
  );
  await using dns = start({
    clock,
    lookup: () => new Promise(() => {}),
    nameservers: () => [home],
    nameserverPort: nameserver.port,
  });
  const flow = dns.datagrams();
  for (const name of ["web", "web.bakery", "web.bakery.svc"]) {
    flow.send(query(name));
  }
  flow.send(query("www.example.com"));
  assert.deepEqual(told(await receive(flow)), ["www.example.com A 192.0.2.9"]);
  assert.equal(dns.stats().inFlight, 3);
});

Deno.test("Dns lets no cluster's single label wait for a host that is silent about what its search list makes of it", async () => {
  const clock = new FakeClock();
  let isSilent = true;
  await using nameserver = await FakeNameserver.start((question) =>
    isSilent ? undefined : address(question, "192.0.2.9")
  );
  await using dns = start({
    clock,
    lookup: (question) =>
      Promise.resolve(
        nameOf(question).startsWith("web.")
          ? address(question, "10.96.0.7")
          : noSuchName(question),
      ),
    search: () => ["corp.test", "test"],
    nameservers: () => [home],
    nameserverPort: nameserver.port,
  });
  const flow = dns.datagrams();
  const ask = async (name: string, ms: number) => {
    const asked = nameserver.queries.length + 1;
    flow.send(query(name));
    await nameserver.asked(asked);
    clock.advance(ms);
    return gist(await receive(flow));
  };
  const { code, answers } = await ask("web.corp.test", 700);
  assert.deepEqual([code, answers], [3, []]);
  // Once that is known it is waited for less long.
  assert.equal((await ask("WEB.test", 200)).code, 3);
  // Nobody else's: not the label's that the cluster lacks, nor a name's that is not searched for.
  for (const name of ["absent.test", "web.example.com", "a.web.test"]) {
    assert.equal((await ask(name, 4_500)).code, 2, name);
  }
  isSilent = false;
  assert.deepEqual((await ask("www.test", 0)).answers, ["192.0.2.9"]);
  assert.deepEqual((await ask("web.test", 0)).answers, ["192.0.2.9"]);
});
