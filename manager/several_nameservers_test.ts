/** What ClusterDns makes of several nameservers. Time stands still but where a test moves it. */
import assert from "node:assert/strict";
import { FakeNameserver, type Handle } from "../dns/nameserver_fake.ts";
import { FakeClock } from "../net/clock_fake.ts";
import { Ip } from "../net/mod.ts";
import { soon } from "../net/soon_fake.ts";
import { ClusterDns } from "./cluster_dns.ts";
import { addresses, nobody, openPlace, query } from "./nameservers_fake.ts";

/** An answer to the query that ends in `mark`. */
function answer(mark: number, code = 0): Uint8Array {
  const bytes = new Uint8Array([...query, mark]);
  bytes[2]! |= 0x80;
  bytes[3]! |= code;
  bytes[7] = 1; // a record
  return bytes;
}

/** That there is nothing: no such name with the code 3, no record of the type without. */
function nothing(mark: number, code = 3): Uint8Array {
  const bytes = answer(mark, code);
  bytes[7] = 0;
  return bytes;
}

/** Only over UDP, and only the beginning. */
function cut(): Uint8Array {
  const bytes = answer(0);
  bytes[2]! |= 2;
  return bytes;
}

const silence: Handle = () => undefined;

Deno.test("ClusterDns asks the next nameserver when one is silent for its turn, and lets no later question wait as long", async () => {
  await using place = await openPlace([silence, () => answer(2)]);
  const { clock, ask, servers: [first, second] } = place;
  const asking = ask();
  await first!.asked(1);
  clock.advance(999);
  assert.equal(second!.queries.length, 0);
  clock.advance(1);
  assert.deepEqual(await asking, answer(2));
  for (let i = 2; i < 5; i++) {
    const sinceMs = clock.now();
    const later = ask();
    await first!.asked(first!.queries.length + 1);
    clock.advance(50);
    assert.deepEqual(await later, answer(2));
    assert.equal(clock.now() - sinceMs, 50);
    assert.equal(second!.queries.length, i);
  }
});

Deno.test("ClusterDns asks the next nameserver at once when nobody has the first one's port", async () => {
  await using place = await openPlace([nobody, () => answer(2)]);
  const { ask } = place;
  assert.deepEqual(await ask(), answer(2));
});

for (
  const [text, code] of [
    ["SERVFAIL", 2],
    ["NOTIMP", 4],
    ["REFUSED", 5],
  ] as const
) {
  Deno.test(`ClusterDns asks the next nameserver at once when one says ${text}`, async () => {
    await using place = await openPlace([
      () => answer(1, code),
      () => answer(2),
    ]);
    const { ask, servers: [first] } = place;
    assert.deepEqual(await ask(), answer(2));
    assert.equal(first!.queries.length, 1);
  });
}

Deno.test("ClusterDns asks no other nameserver when one says that there is no such name", async () => {
  await using place = await openPlace([() => nothing(1), () => answer(2)]);
  const { ask, servers: [, second] } = place;
  assert.deepEqual(await ask(), nothing(1));
  assert.equal(second!.queries.length, 0);
});

Deno.test("ClusterDns gives the first failure when every nameserver fails", async () => {
  await using place = await openPlace([
    () => answer(1, 2),
    () => answer(2, 5),
    () => answer(3, 4),
  ]);
  const { ask, servers } = place;
  assert.deepEqual(await ask(), answer(1, 2));
  assert.deepEqual(servers.map(({ queries }) => queries.length), [1, 1, 1]);
});

Deno.test("ClusterDns gives the failure of one when the others were silent for their turns", async () => {
  await using place = await openPlace([silence, () => answer(2, 2), silence]);
  const { clock, ask, servers: [first, , third] } = place;
  const asking = ask();
  await first!.asked(1);
  clock.advance(1000);
  await third!.asked(1);
  clock.advance(1000);
  assert.deepEqual(await asking, answer(2, 2));
});

Deno.test("ClusterDns still takes the answer of a slow nameserver when the next one is silent", async () => {
  const held = Promise.withResolvers<Uint8Array>();
  await using place = await openPlace([() => held.promise, silence]);
  const { clock, ask, servers: [, second] } = place;
  const asking = ask();
  clock.advance(1000);
  await second!.asked(1);
  clock.advance(4000);
  held.resolve(answer(1));
  assert.deepEqual(await asking, answer(1));
});

Deno.test("ClusterDns has asked all three nameservers within two seconds when all are silent, and later ones sooner", async () => {
  await using place = await openPlace([silence, silence, silence]);
  const { clock, ask, servers } = place;
  for (const turnMs of [1000, 50]) {
    const before = servers.map(({ queries }) => queries.length);
    const off = new AbortController();
    const asking = ask(off);
    for (const [i, server] of servers.entries()) {
      await server.asked(before[i]! + 1);
      clock.advance(turnMs);
    }
    off.abort();
    await assert.rejects(asking, { refusal: "gone" });
  }
  const asking = ask();
  clock.advance(60_000);
  await assert.rejects(asking, { refusal: "timeout" });
});

Deno.test("ClusterDns goes on asking where nobody has the port, and finds who comes meanwhile", async () => {
  await using place = await openPlace([nobody, nobody, silence]);
  const { clock, ask, servers: [, , third] } = place;
  const asking = ask();
  await third!.asked(1);
  const { port } = third!;
  await using _ = await FakeNameserver.start(() => answer(2), {
    ...{ address: addresses[1], port },
  });
  clock.advance(1000);
  assert.deepEqual(await asking, answer(2));
});

Deno.test("ClusterDns turns back to the first nameserver with the first answer that it gives, and gives it all its time again", async () => {
  let first: Handle = silence;
  await using place = await openPlace([
    (...asked) => first(...asked),
    () => answer(2),
  ]);
  const { clock, ask, servers: [one, two] } = place;
  const missed = ask();
  await one!.asked(1);
  clock.advance(1000);
  assert.deepEqual(await missed, answer(2));
  first = () => answer(1);
  assert.deepEqual(await ask(), answer(1));
  const held = Promise.withResolvers<Uint8Array>();
  first = () => held.promise;
  const slow = ask();
  clock.advance(999);
  held.resolve(answer(1));
  assert.deepEqual(await slow, answer(1));
  assert.equal(two!.queries.length, 1);
});

Deno.test("ClusterDns remembers who was silent to an asker of less patience than a turn takes", async () => {
  await using place = await openPlace([silence, () => answer(2)]);
  const { clock, ask, servers: [first] } = place;
  const off = new AbortController();
  const missed = ask(off);
  await first!.asked(1);
  clock.advance(500);
  off.abort();
  await assert.rejects(missed, { refusal: "gone" });
  const asking = ask();
  await first!.asked(2);
  clock.advance(50);
  assert.deepEqual(await asking, answer(2));
});

Deno.test("ClusterDns holds nobody for away who answers others", async () => {
  const slow = new Uint8Array([...query.slice(0, -1), 8]);
  await using place = await openPlace([
    (bytes) => bytes.at(-1) === 8 ? undefined : answer(1),
    (bytes) => bytes.at(-1) === 8 ? answer(2) : answer(3),
  ]);
  const { clock, ask, servers: [first, second] } = place;
  const asking = ask(undefined, slow);
  await first!.asked(1);
  clock.advance(500);
  assert.deepEqual(await ask(), answer(1));
  clock.advance(500);
  assert.deepEqual(await asking, answer(2));
  const asked = second!.queries.length;
  const other = ask();
  clock.advance(50);
  assert.deepEqual(await other, answer(1));
  assert.equal(second!.queries.length, asked);
});

Deno.test("ClusterDns asks the next nameserver over UDP and TCP when one fails over TCP", async () => {
  const ways: string[] = [];
  const note = (by: number, stream: boolean) =>
    ways.push(`${by} ${stream ? "tcp" : "udp"}`);
  await using place = await openPlace([
    (_, { stream }) => {
      note(1, stream);
      return stream ? undefined : cut(); // and hangs up
    },
    (_, { stream }) => {
      note(2, stream);
      return stream ? answer(2) : cut();
    },
  ]);
  assert.deepEqual(await place.ask(), answer(2));
  assert.deepEqual(ways, ["1 udp", "1 tcp", "2 udp", "2 tcp"]);
});

Deno.test("ClusterDns asks the next nameserver when one is silent over TCP", async () => {
  const over = Promise.withResolvers<undefined>();
  await using place = await openPlace([
    (_, { stream }) => stream ? over.promise : cut(),
    () => answer(2),
  ]);
  const { clock, ask, servers: [first] } = place;
  const asking = ask();
  await first!.asked(2);
  clock.advance(1000);
  assert.deepEqual(await asking, answer(2));
  over.resolve(undefined);
});

for (const at of [["::1", "127.0.0.1"], ["127.0.0.1", "::1"]]) {
  Deno.test(`ClusterDns asks ${at[1]} when nobody has the port of ${at[0]}, over TCP, too`, async () => {
    const handle: Handle = (_, { stream }) => stream ? answer(2) : cut();
    await using place = await openPlace([nobody, handle], { at });
    assert.deepEqual(await place.ask(), answer(2));
  });
}

Deno.test("ClusterDns gives every nameserver its turn, also when the one before fails late", async () => {
  const held = Promise.withResolvers<Uint8Array>();
  const other = new Uint8Array([...query.slice(0, -1), 8]);
  const askedMs: number[] = [];
  await using place = await openPlace([
    (bytes) => bytes.at(-1) === 8 ? answer(1) : held.promise,
    silence,
    () => {
      askedMs.push(clock.now());
      return answer(3);
    },
  ]);
  const { clock, ask, servers: [, second] } = place;
  const asking = ask();
  clock.advance(1000);
  await second!.asked(1);
  held.resolve(answer(1, 2));
  await ask(undefined, other); // it said this after the failure
  clock.advance(1000);
  assert.deepEqual(await asking, answer(3));
  assert.deepEqual(askedMs, [2000]);
});

Deno.test("ClusterDns refuses at once when there is no way to any nameserver", async () => {
  const dns = new ClusterDns({
    nameservers: [Ip.parse("255.255.255.255"), Ip.parse("255.255.255.255")],
    clock: new FakeClock(),
  });
  await assert.rejects(
    soon("a refusal", dns.ask(query, new AbortController())),
    {
      refusal: "forbidden",
    },
  );
});

Deno.test("ClusterDns asks the next nameserver at once when there is no way to the first", async () => {
  const at = ["255.255.255.255", "127.0.0.1"]; // no socket may be of it
  await using place = await openPlace([nobody, () => answer(2)], { at });
  assert.deepEqual(await place.ask(), answer(2));
});

for (const code of [0, 3]) {
  Deno.test(`ClusterDns takes a later nameserver's word that there is nothing (code ${code}) only when those before had all their time`, async () => {
    let first: Handle = silence;
    await using place = await openPlace([
      (...asked) => first(...asked),
      () => nothing(2, code),
    ]);
    const { clock, ask, servers: [one, two] } = place;
    const missed = ask();
    await one!.asked(1);
    clock.advance(1_000);
    assert.deepEqual(await missed, nothing(2, code));
    // It is held to be away, and yet it answers, if slowly.
    for (const said of [answer(1), nothing(1, code)]) {
      const held = Promise.withResolvers<Uint8Array>();
      first = () => held.promise;
      const asking = ask();
      await one!.asked(one!.queries.length + 1);
      clock.advance(999);
      held.resolve(said);
      assert.deepEqual(await asking, said);
      first = silence;
      const again = ask();
      await one!.asked(one!.queries.length + 1);
      clock.advance(1_000);
      assert.deepEqual(await again, nothing(2, code));
    }
    assert.ok(two!.queries.length >= 3);
  });
}

Deno.test("ClusterDns takes a later nameserver's failure only when those before had all their time", async () => {
  let first: Handle = silence;
  await using place = await openPlace([
    (...asked) => first(...asked),
    () => answer(2, 5),
  ]);
  const { clock, ask, servers: [one, two] } = place;
  const missed = ask();
  await one!.asked(1);
  clock.advance(1_000);
  assert.deepEqual(await missed, answer(2, 5));
  const held = Promise.withResolvers<Uint8Array>();
  first = () => held.promise;
  const asking = ask();
  clock.advance(50);
  await two!.asked(2);
  clock.advance(900);
  held.resolve(answer(1));
  assert.deepEqual(await asking, answer(1));
});
