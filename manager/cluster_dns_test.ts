import assert from "node:assert/strict";
import { FakeNameserver, type Handle } from "../dns/nameserver_fake.ts";
import { FakeClock } from "../net/clock_fake.ts";
import { Ip } from "../net/mod.ts";
import { ClusterDns } from "./cluster_dns.ts";

const query = new Uint8Array([0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7]);
const { signal } = new AbortController();

/** The query as its own answer, with `tail` behind it. */
function echo(bytes: Uint8Array, ...tail: number[]): Uint8Array {
  const answer = new Uint8Array([...bytes, ...tail]);
  answer[2]! |= 0x80;
  return answer;
}

async function setUp(handle: Handle) {
  const clock = new FakeClock();
  const server = await FakeNameserver.start(handle);
  const { port } = server;
  const nameservers = [Ip.parse("127.0.0.1")] as const;
  const dns = new ClusterDns({ nameservers, port, clock });
  return { clock, server, dns };
}

Deno.test("ClusterDns gives the nameserver's answer, octet by octet", async () => {
  const { dns, server } = await setUp((bytes) => echo(bytes, 1, 2, 255));
  await using _server = server;
  assert.deepEqual(await dns.ask(query, { signal }), echo(query, 1, 2, 255));
});

Deno.test("ClusterDns gives the failure of the only nameserver as it came", async () => {
  const refuse = (bytes: Uint8Array) => {
    const answer = echo(bytes, 3);
    answer[3]! |= 5;
    return answer;
  };
  const { dns, server } = await setUp(refuse);
  await using _server = server;
  assert.deepEqual(await dns.ask(query, { signal }), refuse(query));
});

Deno.test("ClusterDns asks over TCP for what was cut short", async () => {
  const ways: string[] = [];
  const { dns, server } = await setUp((bytes, { stream }) => {
    ways.push(stream ? "tcp" : "udp");
    const answer = echo(bytes, ...stream ? new Array(3000).fill(9) : []);
    if (!stream) answer[2]! |= 2;
    return answer;
  });
  await using _server = server;
  assert.equal((await dns.ask(query, { signal })).length, query.length + 3000);
  assert.deepEqual(ways, ["udp", "tcp"]);
});

Deno.test("ClusterDns passes over answers under another id", async () => {
  const { dns, server, clock } = await setUp((bytes) => {
    const answer = echo(bytes);
    answer[0]! ^= 1;
    clock.advance(60_000);
    return answer;
  });
  await using _server = server;
  await assert.rejects(dns.ask(query, { signal }), { refusal: "timeout" });
});

Deno.test("ClusterDns sends again what may be lost", async () => {
  const { dns, server, clock } = await setUp((bytes) => {
    if (server.queries.length > 1) return echo(bytes);
    clock.advance(1000);
    return undefined;
  });
  await using _server = server;
  assert.deepEqual(await dns.ask(query, { signal }), echo(query));
  assert.equal(server.queries.length, 2);
});

Deno.test("ClusterDns waits for a slow nameserver while its asker does, and asks it less and less often", async () => {
  const { dns, server, clock } = await setUp((bytes) => {
    const { length: asked } = server.queries;
    if (asked === 5) return echo(bytes);
    clock.advance(asked === 1 ? 1000 : 8000);
    return undefined;
  });
  await using _server = server;
  assert.deepEqual(await dns.ask(query, { signal }), echo(query));
  assert.equal(clock.now(), 1000 + 3 * 8000);
});

Deno.test("ClusterDns gives up when it is called off, also in the midst of TCP", async () => {
  const off = new AbortController();
  const { dns, server } = await setUp((bytes, { stream }) => {
    if (stream) {
      off.abort();
      return undefined;
    }
    const answer = echo(bytes);
    answer[2]! |= 2;
    return answer;
  });
  await using _server = server;
  await assert.rejects(dns.ask(query, off), { refusal: "gone" });
});

Deno.test("ClusterDns asks nobody about what is no message", async () => {
  const { dns, server } = await setUp((bytes) => echo(bytes));
  await using _server = server;
  await assert.rejects(
    dns.ask(query.subarray(0, 11), { signal }),
    { refusal: "failed" },
  );
  assert.equal(server.queries.length, 0);
});
