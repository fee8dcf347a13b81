import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
// @ts-types="@types/dns-packet"
import packet from "dns-packet";
import fc from "fast-check";
import { bareAnswer, decodeAnswer, lifetimeSeconds } from "./answer.ts";
import { encodeAnswer } from "./answer_message.ts";
import { Fqdn } from "./name.ts";
import { encodeQuery } from "./query_message.ts";
import { decodeQuestion, messageFlags } from "./question.ts";

const full = Fqdn.parse("web.orders.svc.cluster.local");

/** A cluster's answer as an independent encoder writes it. */
function clusterMessage(options: Partial<packet.Packet>): Uint8Array {
  return packet.encode({
    type: "response",
    id: 7,
    flags: packet.AUTHORITATIVE_ANSWER,
    questions: [{ type: "A", name: "web.orders.svc.cluster.local" }],
    ...options,
  });
}

function queryMessage(
  { name = "web.orders", type = "A" as packet.RecordType, udpBytes = 0 } = {},
): Uint8Array {
  return packet.encode({
    type: "query",
    id: 4242,
    flags: packet.RECURSION_DESIRED,
    questions: [{ type, name }],
    additionals: udpBytes === 0 ? [] : [{
      type: "OPT",
      name: ".",
      udpPayloadSize: udpBytes,
      extendedRcode: 0,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: [],
    }],
  });
}

const asked = { name: full, type: 1, class: 1 };
const decode = (bytes: Uint8Array) => packet.decode(Buffer.from(bytes));
const a = (name: string, data: string, ttl = 30) => ({
  type: "A" as const,
  name,
  data,
  ttl,
});

Deno.test("encodeAnswer() writes the asked name in place of the full one, and no other", () => {
  const answer = decodeAnswer(
    clusterMessage({
      answers: [
        {
          type: "CNAME",
          name: "web.orders.svc.cluster.local",
          data: "db.example.com",
          ttl: 5,
        },
        a("db.example.com", "192.0.2.7", 60),
      ],
    }),
    asked,
  );
  const message = decode(
    encodeAnswer(queryMessage({ name: "wEb.ShOp" }), answer!, {
      alias: full,
      ageSeconds: 2,
    }),
  );
  assert.equal(message.id, 4242);
  assert.ok(message.flag_qr && message.flag_aa && message.flag_rd);
  assert.ok(message.flag_ra && !message.flag_tc);
  assert.equal(message.questions?.[0]?.name, "wEb.ShOp");
  const seen = message.answers?.map((record) => {
    const { type, name, data, ttl } = record as packet.StringAnswer;
    return { type, name, data, ttl };
  });
  assert.deepEqual(seen, [
    { type: "CNAME", name: "wEb.ShOp", data: "db.example.com", ttl: 3 },
    { type: "A", name: "db.example.com", data: "192.0.2.7", ttl: 58 },
  ]);
});

Deno.test("encodeAnswer() passes every type of record through", () => {
  const answers: packet.Answer[] = [
    a(String(full).slice(0, -1), "10.96.0.1"),
    { type: "AAAA", name: "x.y", data: "fd00::1", ttl: 1 },
    {
      type: "TXT",
      name: "x.y",
      data: [Buffer.from([0, 255]), Buffer.from("a")],
      ttl: 1,
    },
    {
      type: "MX",
      name: "x.y",
      data: { preference: 9, exchange: "mx.y" },
      ttl: 1,
    },
    { type: "NS", name: "y", data: "ns.y", ttl: 1 },
    { type: "PTR", name: "1.0.96.10.in-addr.arpa", data: "x.y", ttl: 1 },
    {
      type: "SRV",
      name: "_http._tcp.x.y",
      data: { priority: 1, weight: 2, port: 80, target: "x.y" },
      ttl: 1,
    },
    {
      type: "SOA",
      name: "y",
      data: {
        mname: "ns.y",
        rname: "admin.y",
        serial: 1,
        refresh: 2,
        retry: 3,
        expire: 4,
        minimum: 5,
      },
      ttl: 1,
    },
    {
      type: "CAA",
      name: "y",
      data: { flags: 0, tag: "issue", value: "ca" },
      ttl: 1,
    },
  ];
  const original = clusterMessage({ answers });
  const answer = decodeAnswer(original, asked)!;
  const query = queryMessage({ name: String(full) });
  const written = decode(encodeAnswer(query, answer));
  assert.deepEqual(written.answers, decode(original).answers);
});

Deno.test("encodeAnswer() understands names that the nameserver compressed", () => {
  const message = new Uint8Array([
    ...clusterMessage({ questions: [{ type: "MX", name: String(full) }] }),
    ...[0xc0, 12], // owner: the question's name
    ...[0, 15, 0, 1, 0, 0, 0, 30], // MX, IN, TTL
    ...[0, 8], // length of the data
    ...[0, 10], // preference
    ...[3, 0x6d, 0x78, 0x31, 0xc0, 16], // "mx1" below "orders.svc.cluster.local"
  ]);
  message[7] = 1; // one answer
  const answer = decodeAnswer(message, { ...asked, type: 15 })!;
  const query = queryMessage({ type: "MX" });
  const [record] = decode(encodeAnswer(query, answer, { alias: full }))
    .answers!;
  assert.deepEqual((record as packet.MxAnswer).data, {
    preference: 10,
    exchange: "mx1.orders.svc.cluster.local",
  });
  assert.equal(record!.name, "web.orders");
});

Deno.test("encodeAnswer() truncates to what the asker takes over UDP", () => {
  const answers = Array.from(
    { length: 100 },
    (_, i) => a(String(full).slice(0, -1), `10.0.0.${i}`),
  );
  const answer = decodeAnswer(clusterMessage({ answers }), asked)!;
  const size = (udpBytes: number, maxDatagramBytes?: number) => {
    const bytes = encodeAnswer(queryMessage({ udpBytes }), answer, {
      alias: full,
      ...(maxDatagramBytes === undefined ? {} : { maxDatagramBytes }),
    });
    const message = decode(bytes);
    return {
      bytes: bytes.length,
      truncated: message.flag_tc,
      records: message.answers!.length,
      edns: message.additionals!.length,
    };
  };
  const sixteen = (records: number) => 12 + 10 + 6 + 16 * records;
  // 12 of header, 16 of question, 16 for each record, 11 of EDNS.
  assert.deepEqual(size(0, 1452), {
    bytes: sixteen(30),
    truncated: true,
    records: 30,
    edns: 0,
  });
  assert.deepEqual(size(100, 1452).records, 29);
  assert.deepEqual(size(1232, 1452), {
    bytes: sixteen(74) + 11,
    truncated: true,
    records: 74,
    edns: 1,
  });
  assert.ok(size(4096, 1452).bytes <= 1452);
  assert.deepEqual(size(4096), {
    bytes: sixteen(100) + 11,
    truncated: false,
    records: 100,
    edns: 1,
  });
});

Deno.test("encodeAnswer() leaves out additional records before it truncates", () => {
  const additionals = Array.from(
    { length: 100 },
    (_, i) => a("x.y", `10.0.0.${i}`),
  );
  const answers = [a(String(full).slice(0, -1), "10.96.0.1")];
  const answer = decodeAnswer(clusterMessage({ answers, additionals }), asked)!;
  const message = decode(
    encodeAnswer(queryMessage(), answer, { maxDatagramBytes: 1452 }),
  );
  assert.ok(!message.flag_tc);
  assert.equal(message.answers!.length, 1);
});

Deno.test("encodeAnswer() answers even what it can not read", () => {
  const query = new Uint8Array(12);
  query.set([0xab, 0xcd]);
  const message = encodeAnswer(query, bareAnswer(2));
  assert.deepEqual([...message.subarray(0, 2)], [0xab, 0xcd]);
  assert.equal(messageFlags(message) & 0x800f, 0x8002);
  assert.equal(message.length, 12);
});

Deno.test("decodeAnswer() takes only an answer to the question", () => {
  assert.ok(decodeAnswer(clusterMessage({}), asked));
  assert.equal(
    decodeAnswer(clusterMessage({ type: "query" }), asked),
    undefined,
  );
  const other = { ...asked, name: Fqdn.parse("other") };
  assert.equal(decodeAnswer(clusterMessage({}), other), undefined);
  assert.equal(
    decodeAnswer(clusterMessage({}), { ...asked, type: 28 }),
    undefined,
  );
});

Deno.test("decodeAnswer() ends on every input, and what it gives can be written", () => {
  const base = clusterMessage({
    answers: [
      a(String(full), "10.96.0.1"),
      { type: "MX", name: "x.y", data: { exchange: "mx.y" }, ttl: 1 },
    ],
  });
  const query = queryMessage({ udpBytes: 1232 });
  const change = fc.record({ at: fc.nat(base.length - 1), to: fc.nat(255) });
  const noise = fc.uint8Array({ maxLength: 50 });
  fc.assert(
    fc.property(fc.array(change), noise, (changes, tail) => {
      const bytes = new Uint8Array([...base, ...tail]);
      for (const { at, to } of changes) bytes[at] = to;
      const answer = decodeAnswer(bytes, asked);
      if (answer === undefined) return;
      lifetimeSeconds(answer);
      const written = encodeAnswer(query, answer, {
        alias: full,
        maxDatagramBytes: 1452,
      });
      assert.ok(written.length <= 1232);
      assert.ok(decodeQuestion(written));
    }),
    { numRuns: 3000 },
  );
});

Deno.test("lifetimeSeconds() is the shortest TTL, or what the zone says of names it lacks", () => {
  const soa = (ttl: number, minimum: number) => ({
    type: "SOA" as const,
    name: "cluster.local",
    ttl,
    data: { mname: "ns", rname: "admin", minimum },
  });
  const lifetime = (options: Partial<packet.Packet>) =>
    lifetimeSeconds(decodeAnswer(clusterMessage(options), asked)!);
  const [one, two] = [a("x", "10.0.0.1", 30), a("x", "10.0.0.2", 5)];
  assert.equal(lifetime({ answers: [one, two] }), 5);
  assert.equal(lifetime({ answers: [a("x", "10.0.0.1", 2 ** 31)] }), 0);
  assert.equal(lifetime({ authorities: [soa(30, 5)] }), 1);
  assert.equal(lifetime({ authorities: [soa(30, 0)] }), 0);
  assert.equal(lifetime({ flags: 3, authorities: [soa(3, 5)] }), 1);
  assert.equal(lifetime({ flags: 3 }), 0);
  assert.equal(lifetime({ flags: 2, answers: [one] }), 0);
  assert.equal(lifetime({ flags: 0x200, answers: [one] }), 0);
});

Deno.test("encodeQuery() writes what other decoders read", () => {
  const query = decode(encodeQuery({ ...asked, type: 33 }, { id: 99 }));
  assert.equal(query.id, 99);
  assert.ok(query.flag_rd && !query.flag_qr);
  assert.deepEqual(query.questions, [{
    name: "web.orders.svc.cluster.local",
    type: "SRV",
    class: "IN",
  }]);
  assert.equal(
    (query.additionals![0] as packet.OptAnswer).udpPayloadSize,
    1232,
  );
});
