import assert from "node:assert/strict";
import { FakeClock } from "../net/clock_fake.ts";
import { Ip, RefusedError } from "../net/mod.ts";
import { ClusterDns } from "./cluster_dns.ts";
import { type FakeAnswer, FakeDnsServer } from "./dns_server_fake.ts";

const query = new Uint8Array([0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7]);
const { signal } = new AbortController();

/** The query as its own answer, with `tail` behind it. */
function echo(bytes: Uint8Array, ...tail: number[]): Uint8Array {
  const answer = new Uint8Array([...bytes, ...tail]);
  answer[2]! |= 0x80;
  return answer;
}

async function setUp(answer: FakeAnswer) {
  const clock = new FakeClock();
  const server = await FakeDnsServer.start(answer);
  const nameserver = Ip.parse("127.0.0.1");
  const dns = new ClusterDns({ nameserver, port: server.port, clock });
  return { clock, server, dns };
}

Deno.test("ClusterDns gives the nameserver's answer, octet by octet", async () => {
  const { dns, server } = await setUp((bytes) => echo(bytes, 1, 2, 255));
  await using _server = server;
  assert.deepEqual(await dns.ask(query, { signal }), echo(query, 1, 2, 255));
});

Deno.test("ClusterDns asks over TCP for what was cut short", async () => {
  const { dns, server } = await setUp((bytes, over) => {
    const answer = echo(
      bytes,
      ...over === "tcp" ? new Array(3000).fill(9) : [],
    );
    if (over === "udp") answer[2]! |= 2;
    return answer;
  });
  await using _server = server;
  assert.equal((await dns.ask(query, { signal })).length, query.length + 3000);
  assert.deepEqual(server.asked, { udp: 1, tcp: 1 });
});

Deno.test("ClusterDns passes over answers under another id", async () => {
  const { dns, server, clock } = await setUp((bytes) => {
    const answer = echo(bytes);
    answer[0]! ^= 1;
    clock.advance(60_000);
    return answer;
  });
  await using _server = server;
  await assert.rejects(
    dns.ask(query, { signal }),
    (error: RefusedError) => error.refusal === "timeout",
  );
});

Deno.test("ClusterDns sends again what may be lost", async () => {
  const { dns, server, clock } = await setUp((bytes) => {
    if (server.asked.udp === 1) {
      clock.advance(1000);
      return undefined;
    }
    return echo(bytes);
  });
  await using _server = server;
  assert.deepEqual(await dns.ask(query, { signal }), echo(query));
  assert.equal(server.asked.udp, 2);
});

Deno.test("ClusterDns waits for a slow nameserver while its asker does, and asks it less and less often", async () => {
  const { dns, server, clock } = await setUp((bytes) => {
    if (server.asked.udp === 1) clock.advance(1000);
    else if (server.asked.udp < 5) clock.advance(8000);
    else return echo(bytes);
  });
  await using _server = server;
  assert.deepEqual(await dns.ask(query, { signal }), echo(query));
  assert.equal(clock.now(), 1000 + 3 * 8000);
});

Deno.test("ClusterDns gives up when it is called off, also in the midst of TCP", async () => {
  const off = new AbortController();
  const { dns, server } = await setUp((bytes, over) => {
    if (over === "tcp") {
      off.abort();
      return undefined;
    }
    const answer = echo(bytes);
    answer[2]! |= 2;
    return answer;
  });
  await using _server = server;
  await assert.rejects(dns.ask(query, off), RefusedError);
});

Deno.test("ClusterDns asks nobody about what is no message", async () => {
  const { dns, server } = await setUp((bytes) => echo(bytes));
  await using _server = server;
  await assert.rejects(
    dns.ask(query.subarray(0, 11), { signal }),
    RefusedError,
  );
  assert.equal(server.asked.udp, 0);
});
