import assert from "node:assert/strict";
import { type Datagrams, RefusedError, udpIdleMs } from "../net/mod.ts";
import { until } from "../tunnel/session_fake.ts";
import { rule } from "./manager_fake.ts";
import { laptop, openUdpPlace } from "./udp_port_fake.ts";

Deno.test("a client has one flow to the app, until it is idle", async () => {
  await using place = await openUdpPlace();
  assert.equal(await place.ask("1"), "app:1");
  place.clock.advance(udpIdleMs.opener - 1);
  assert.equal(await place.ask("2"), "app:2");
  place.clock.advance(udpIdleMs.opener - 1);
  assert.equal(await place.ask("3"), "app:3");
  assert.equal(new Set(place.heard).size, 1);
  assert.equal(place.counters.numbers.app, 1);
  place.clock.advance(udpIdleMs.opener);
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(await place.ask("4"), "app:4");
  assert.equal(place.counters.numbers.app, 2);
});

Deno.test("datagrams go where the rules say as soon as these change", async () => {
  await using place = await openUdpPlace();
  const { ports, manager } = place;
  const heard: string[] = [];
  manager.onLaptop = laptop(heard);
  assert.equal(await place.ask("1"), "app:1");
  await place.tell(rule("a", { ports }));
  assert.equal(await place.ask("2"), "laptop:2");
  // Rules of another port change nothing.
  await place.tell(rule("a", { ports }), rule("b"));
  assert.equal(await place.ask("3"), "laptop:3");
  await place.tell();
  assert.equal(await place.ask("4"), "app:4");
  await until(() => heard.at(-1) === "end");
  assert.deepEqual(heard, ["2", "3", "end"]);
});

Deno.test("a flow that the laptop refuses is the app's", async () => {
  await using place = await openUdpPlace();
  await place.tell(rule("a", { ports: place.ports }));
  assert.equal(await place.ask("1"), "app:1");
  assert.equal(place.counters.numbers.fallbacks, 1);
});

Deno.test("datagrams wait for a laptop that is away", async () => {
  await using place = await openUdpPlace();
  const { ports, manager, clock, counters } = place;
  manager.onLaptop = (incoming) => incoming.refuse("gone", "it is away");
  await place.tell(rule("a", { ports }));
  const asked = place.ask("1");
  await until(() => counters.numbers.held === 1);
  manager.onLaptop = laptop([]);
  clock.advance(100);
  assert.equal(await asked, "laptop:1");
});

Deno.test("a wiretap gets a copy, and its answers are thrown away", async () => {
  await using place = await openUdpPlace();
  const { ports, manager } = place;
  const heard: string[] = [];
  manager.onLaptop = laptop(heard);
  await place.tell(rule("a", { ports, mode: "wiretap" }));
  // What comes before the laptop has answered it does not get.
  assert.equal(await place.ask("1"), "app:1");
  await until(() => manager.sessions[0]!.stats().streams === 2);
  for (let i = 2; heard.length === 0; i++) {
    assert.equal(await place.ask(`${i}`), `app:${i}`);
  }
  assert.equal(await place.ask("last"), "app:last");
  await until(() => heard.includes("last"));
});

Deno.test("a wiretap whose laptop ends the copy harms nothing", async () => {
  await using place = await openUdpPlace();
  const { ports, manager, counters } = place;
  const copies: Datagrams[] = [];
  manager.onLaptop = (incoming) => copies.push(incoming.acceptDatagrams());
  await place.tell(rule("a", { ports, mode: "wiretap" }));
  assert.equal(await place.ask("1"), "app:1");
  await until(() => copies.length === 1);
  copies[0]!.close(new RefusedError("refused", "nobody has that port"));
  await until(() => manager.sessions[0]!.stats().streams === 1);
  for (let i = 2; i < 40; i++) {
    assert.equal(await place.ask(`${i}`), `app:${i}`);
  }
  assert.equal(new Set(place.heard).size, 1, "it is the same flow");
  assert.equal(counters.numbers.datagramsDropped, 0);
});
