import assert from "node:assert/strict";
import { home, query, receive, respond, start } from "./message_fake.ts";
import { FakeNameserver } from "./nameserver_fake.ts";
import { Pace } from "./pace.ts";

Deno.test("Pace lets a few begin at once, all others in turns, in order", async () => {
  const pace = new Pace();
  const begun: number[] = [];
  const all = Array.from({ length: 100 }, async (_, i) => {
    const turn = pace.begin();
    if (turn) await turn;
    begun.push(i);
  });
  const atOnce = begun.length;
  assert.ok(atOnce > 0 && atOnce < 50, `${atOnce}`);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.ok(begun.length > atOnce && begun.length < 100, `${begun.length}`);
  await Promise.all(all);
  assert.deepEqual(begun, begun.map((_, i) => i));
});

Deno.test("Dns asks the host before very many questions to the cluster have begun", async () => {
  await using nameserver = await FakeNameserver.start((question) =>
    respond(question)
  );
  const many = 2000;
  let lookups = 0;
  await using dns = start({
    lookup: () => {
      lookups++;
      return new Promise(() => {});
    },
    nameservers: () => [home],
    nameserverPort: nameserver.port,
  });
  const flow = dns.datagrams();
  for (let i = 0; i < many; i++) flow.send(query(`absent-${i}.bakery`));
  flow.send(query("example.com"));
  await receive(flow);
  assert.ok(lookups < many, `${lookups} lookups had begun`);
  await dns.stop();
  while (dns.stats().inFlight > 0) await new Promise((r) => setTimeout(r, 1));
});
