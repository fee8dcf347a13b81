import assert from "node:assert/strict";
import { FakeClock } from "../net/clock_fake.ts";
import { until } from "../tunnel/session_fake.ts";
import { openManagers } from "./agent_fake.ts";
import { FakeManager, rule } from "./manager_fake.ts";
import type { Managers } from "./managers.ts";

function idsOf({ book }: Managers): string[] {
  return book.rules.map(({ id }) => id);
}

const stepMs = 100;

/** Moves time step by step until it is true: what is waited for needs turns of the event loop, too. */
async function advance(clock: FakeClock, isTrue: () => boolean) {
  const startMs = clock.now();
  await until(() => {
    if (!isTrue()) clock.advance(stepMs);
    return isTrue();
  });
  return clock.now() - startMs;
}

Deno.test("Managers follow what every copy tells, and answer it", async () => {
  const clock = new FakeClock();
  await using first = new FakeManager("m-0", { clock });
  await using second = new FakeManager("m-1", { clock });
  first.tell(rule("a"));
  const copies = new Map([["10.0.0.1", first], ["10.0.0.2", second]]);
  await using managers = openManagers(copies, { clock });
  await managers.settled;
  assert.deepEqual(idsOf(managers), ["a"]);
  await until(() => first.answers.join() === "1");
  second.tell(rule("b", { manager: "m-1" }));
  await until(() => second.answers.join() === "1,2");
  assert.deepEqual(idsOf(managers), ["a", "b"]);
  assert.ok(managers.sessionOf("m-0") && managers.sessionOf("m-1"));
  first.tell();
  await until(() => first.answers.join() === "1,2");
  assert.deepEqual(idsOf(managers), ["b"]);
});

Deno.test("Managers look for a copy that is missing, and keep its rules for a minute", async () => {
  const clock = new FakeClock();
  const first = new FakeManager("m-0", { clock });
  first.tell(rule("a"));
  const copies = new Map([["10.0.0.1", first]]);
  await using managers = openManagers(copies, { clock });
  await managers.settled;
  copies.clear();
  await first[Symbol.asyncDispose]();
  await until(() => managers.sessionOf("m-0") === undefined);
  clock.advance(50_000);
  assert.deepEqual(idsOf(managers), ["a"]);

  // Its pod was made anew, at another address.
  await using again = new FakeManager("m-0", { clock });
  again.tell(rule("a"), rule("b"));
  copies.set("10.0.0.9", again);
  const ms = await advance(
    clock,
    () => managers.sessionOf("m-0") !== undefined,
  );
  // deno-lint-ignore no-console
  console.log(`found after ${ms} ms at most`);
  assert.ok(ms <= 2_000 + stepMs);
  assert.deepEqual(idsOf(managers), ["a", "b"]);
  const backMs = clock.now();
  await advance(clock, () => clock.now() - backMs > 65_000);
  assert.deepEqual(idsOf(managers), ["a", "b"]);

  copies.clear();
  await again[Symbol.asyncDispose]();
  await until(() => managers.sessionOf("m-0") === undefined);
  clock.advance(59_000);
  assert.deepEqual(idsOf(managers), ["a", "b"]);
  await advance(clock, () => idsOf(managers).length === 0);
});

Deno.test("Managers that have lost every copy turn to the address that leads to any, until the copy's own is told", async () => {
  const clock = new FakeClock();
  const first = new FakeManager("m-0", { clock });
  first.tell(rule("a"));
  const copies = new Map([["10.0.0.1", first]]);
  const any = "10.96.0.1";
  await using managers = openManagers(copies, { clock, door: () => [any] });
  await managers.settled;
  copies.clear();
  await first[Symbol.asyncDispose]();
  await until(() => managers.sessionOf("m-0") === undefined);
  await using again = new FakeManager("m-0", { clock });
  again.tell(rule("a"));
  copies.set(any, again);
  const isThere = () => managers.sessionOf("m-0") !== undefined;
  const ms = await advance(clock, isThere);
  assert.ok(ms <= 2_000 + stepMs, `${ms} ms`);
  const session = managers.sessionOf("m-0")!;

  copies.set("10.0.0.9", again);
  await advance(clock, () => managers.sessionOf("m-0") !== session);
  assert.ok(isThere());
  let isOver = false;
  void session.ended.then(() => isOver = true);
  await advance(clock, () => isOver);
  assert.ok(isThere());
  assert.deepEqual(idsOf(managers), ["a"]);
});

Deno.test("a copy without a carrier is away, and there again with the next one", async () => {
  const clock = new FakeClock();
  await using first = new FakeManager("m-0", { clock });
  first.tell(rule("a"));
  const copies = new Map([["10.0.0.1", first]]);
  await using managers = openManagers(copies, { clock });
  await managers.settled;
  const session = managers.sessionOf("m-0");
  first.cut();
  await until(() => managers.sessionOf("m-0") === undefined);
  assert.deepEqual(idsOf(managers), ["a"]);
  first.isUnreachable = false;
  await advance(clock, () => managers.sessionOf("m-0") !== undefined);
  assert.equal(managers.sessionOf("m-0"), session);
  const backMs = clock.now();
  await advance(clock, () => clock.now() - backMs > 65_000);
  assert.deepEqual(idsOf(managers), ["a"]);
});

Deno.test("a manager with two addresses is away once both are lost", async () => {
  const clock = new FakeClock();
  await using byIpv4 = new FakeManager("m-0", { clock });
  await using byIpv6 = new FakeManager("m-0", { clock });
  const ways = [byIpv4, byIpv6];
  const copies = new Map([["10.0.0.1", byIpv4], ["fd00::1", byIpv6]]);
  await using managers = openManagers(copies, { clock });
  await until(() => ways.every(({ answers }) => answers.length === 1));
  const isCut = ({ sessions }: FakeManager) =>
    sessions[0]!.stats().state === "waiting";
  byIpv4.cut();
  await until(() => isCut(byIpv4));
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(managers.sessionOf("m-0"));
  byIpv6.cut();
  await until(() => managers.sessionOf("m-0") === undefined);
});

Deno.test("rules are opened anew when the token was renewed, and the former stream closed", async () => {
  const clock = new FakeClock();
  await using first = new FakeManager("m-0", { clock });
  const copies = new Map([["10.0.0.1", first]]);
  let token = "one";
  await using managers = openManagers(copies, { clock, token: () => token });
  await managers.settled;
  const session = managers.sessionOf("m-0");
  token = "two";
  await advance(clock, () => first.tokens.length === 2);
  assert.deepEqual(first.tokens, ["one", "two"]);
  await until(() => first.listeners === 1);
  first.tell(rule("a"));
  await until(() => idsOf(managers).length === 1);
  assert.equal(managers.sessionOf("m-0"), session);

  // A token that is not taken leaves the session as it is.
  first.refusesRules = true;
  token = "three";
  await advance(clock, () => first.tokens.length === 3);
  await until(() => first.listeners === 1);
  assert.equal(managers.sessionOf("m-0"), session);
});

Deno.test("a manager that leaves is away, though streams go on", async () => {
  const clock = new FakeClock();
  await using first = new FakeManager("m-0", { clock });
  first.tell(rule("a"));
  const copies = new Map([["10.0.0.1", first]]);
  await using managers = openManagers(copies, { clock });
  await managers.settled;
  first.refusesRules = true;
  first.hush();
  await until(() => managers.sessionOf("m-0") === undefined);
  assert.equal(first.sessions.length, 1);
  assert.deepEqual(idsOf(managers), ["a"]);
});

Deno.test("Managers do not settle by what was not reached at once", async () => {
  const clock = new FakeClock();
  await using first = new FakeManager("m-0", { clock });
  first.tell(rule("a"));
  let dials = 0;
  const dial = () =>
    ++dials === 1 ? Promise.reject(new Error("No way yet")) : first.dial();
  const copies = new Map([["10.0.0.1", { dial }]]);
  await using managers = openManagers(copies, { clock });
  const settled = managers.settled!.then(() => idsOf(managers));
  await until(() => dials === 1);
  await advance(clock, () => managers.settled === undefined);
  assert.deepEqual(await settled, ["a"]);
  assert.ok(clock.now() < 5_000);
});

Deno.test("Managers settle without a manager after five seconds", async () => {
  const clock = new FakeClock();
  await using managers = openManagers(new Map(), { clock });
  let isSettled = false;
  void managers.settled!.then(() => isSettled = true);
  clock.advance(4_999);
  await new Promise((resolve) => setTimeout(resolve));
  assert.ok(!isSettled);
  clock.advance(1);
  await until(() => isSettled);
  assert.equal(managers.settled, undefined);
});
