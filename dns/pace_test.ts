import assert from "node:assert/strict";
import { FakeClock } from "../net/clock_fake.ts";
import {
  decode,
  home,
  query,
  receive,
  respond,
  start,
} from "./message_fake.ts";
import { FakeNameserver } from "./nameserver_fake.ts";
import { OverflowError } from "./overflow_error.ts";
import { Pace, type Paced } from "./pace.ts";

function waiter(begin: () => void): Paced {
  return { begin, before: undefined, after: undefined };
}

/** Lookups that never end by themselves, each begun in its turn. */
function open() {
  const clock = new FakeClock();
  const pace = new Pace({ clock });
  const begun: number[] = [];
  const leaves: (() => void)[] = [];
  const ask = (i: number) => {
    const begin = () => {
      begun.push(i);
      leaves.push(pace.lookup());
    };
    if (pace.isFull) pace.wait(waiter(begin));
    else begin();
  };
  /** Resolves when no more begin. */
  const settled = async () => {
    for (let before = -1; before < begun.length;) {
      before = begun.length;
      for (let i = 0; i < 3; i++) await new Promise((r) => setTimeout(r, 0));
    }
  };
  return { clock, pace, begun, leaves, ask, settled };
}

Deno.test("Pace lets a few begin at once, all others in turns, in order", async () => {
  const { begun, ask, settled } = open();
  for (let i = 0; i < 100; i++) ask(i);
  const atOnce = begun.length;
  assert.ok(atOnce > 0 && atOnce < 50, `${atOnce}`);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.ok(begun.length > atOnce && begun.length < 100, `${begun.length}`);
  await settled();
  assert.deepEqual(begun, Array.from({ length: 100 }, (_, i) => i));
});

Deno.test("Pace has a bounded number under way; one that ends, or is slow, makes room", async () => {
  const { clock, pace, begun, leaves, ask, settled } = open();
  for (let i = 0; i < 1000; i++) ask(i);
  await settled();
  const places = begun.length;
  assert.ok(places < 500, `${places}`);
  for (const leave of leaves.splice(0, 10)) leave();
  await settled();
  assert.equal(begun.length, places + 10);
  clock.advance(300);
  await settled();
  assert.equal(begun.length, 2 * places + 10);
  // One that has lost its place does not give one back.
  for (const leave of leaves.splice(0, places)) leave();
  await settled();
  assert.equal(begun.length, 2 * places + 10);
  // Nobody's turn comes after the stop.
  pace.stop();
  clock.advance(300);
  await settled();
  assert.equal(begun.length, 2 * places + 10);
});

Deno.test("Pace passes over who waits no longer", async () => {
  const { pace, begun, ask, settled } = open();
  for (let i = 0; i < 16; i++) ask(i);
  const others = Array.from(
    { length: 1000 },
    () => waiter(() => assert.fail("he had left")),
  );
  for (const one of others) pace.wait(one);
  ask(16);
  for (const one of others) pace.leave(one);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(begun.at(-1), 16);
  await settled();
  assert.equal(begun.length, 17);
});

Deno.test("Pace has no more under way of what is silent than its bound, in turn or not", async () => {
  const { clock, pace, begun, leaves, ask, settled } = open();
  for (let i = 0; i < 2040; i++) leaves.push(pace.lookup());
  for (let i = 0; i < 20; i++) ask(i);
  clock.advance(300);
  await settled();
  assert.equal(begun.length, 8);
  assert.throws(() => pace.lookup(), OverflowError);
  for (const leave of leaves.splice(0, 5)) leave();
  await settled();
  assert.equal(begun.length, 13);
  pace.stop();
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

Deno.test("Dns sends who waits for his turn too long to TCP, and has nobody wait for what is asked already", async () => {
  const many = 1000;
  const clock = new FakeClock();
  let lookups = 0;
  await using dns = start({
    ...{ clock, lookupTimeoutMs: 60_000 },
    lookup: () => {
      lookups++;
      return new Promise(() => {});
    },
  });
  const flow = dns.datagrams();
  let cut = 0;
  flow.forward!((answer) => {
    if (decode(answer).flag_tc) cut++;
  });
  for (let i = 0; i < many; i++) flow.send(query(`absent-${i}.bakery`));
  for (let i = 0; i < 9; i++) flow.send(query("absent-0.bakery"));
  assert.equal(dns.stats().joined, 9);
  assert.ok(lookups < many);
  clock.advance(699);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(cut, 0);
  clock.advance(1);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(cut, many + 9);
  // Nobody waits for their turns any more.
  const before = lookups;
  clock.advance(300);
  for (let i = 0; i < 9; i++) await new Promise((r) => setTimeout(r, 0));
  assert.equal(lookups, before);
});

Deno.test("Dns gives who asks again the turn that is waited for already", async () => {
  const many = 400;
  const clock = new FakeClock();
  await using dns = start({
    ...{ clock, lookupTimeoutMs: 60_000 },
    lookup: () => new Promise(() => {}),
  });
  const flow = dns.datagrams();
  for (let again = 0; again < 2; again++) {
    for (let i = 0; i < many; i++) flow.send(query(`absent-${i}.bakery`));
  }
  const before = dns.stats().joined;
  // Time for a few dozen turns, of the hundred that all would take.
  clock.advance(300);
  for (let i = 0; i < 30; i++) await new Promise((r) => setTimeout(r, 0));
  const { joined } = dns.stats();
  assert.ok(joined > before + 50, `${before}, then ${joined} had joined`);
});
