import assert from "node:assert/strict";
import { Ip, pipeDatagrams, systemClock, udpIdleMs } from "../net/mod.ts";
import { UdpDatagrams } from "../tcp/mod.ts";
import { until } from "../tunnel/session_fake.ts";
import { loopback } from "./agent_fake.ts";
import { rule } from "./manager_fake.ts";
import { appMs, keptMs } from "./udp_flow.ts";
import {
  laptop,
  LaptopFlow,
  openSocket,
  openUdpPlace,
} from "./udp_port_fake.ts";

Deno.test("what a laptop without the port was sent is the app's, and the flow for ten seconds", async () => {
  await using place = await openUdpPlace();
  const { ports, manager, clock, counters, texts, answers } = place;
  const asked: LaptopFlow[] = [];
  manager.onLaptop = (incoming) => asked.push(new LaptopFlow(incoming));
  await place.tell(rule("a", { ports }));
  for (const text of ["1", "2", "3"]) place.send(text);
  await until(() => asked[0]?.heard.length === 3);
  assert.deepEqual(texts, []);
  asked[0]!.refuse();
  await until(() => answers.length === 3);
  assert.deepEqual(answers, ["app:1", "app:2", "app:3"]);
  clock.advance(appMs - 1);
  assert.equal(await place.ask("4"), "app:4");
  assert.equal(asked.length, 1);
  clock.advance(1);
  place.send("5");
  await until(() => asked[1]?.heard.length === 1);
  // What the app says meanwhile is heard.
  place.say("late");
  assert.equal(await place.next(), "late");
  asked[1]!.refuse();
  assert.equal(await place.next(), "app:5");
  assert.equal(new Set(place.heard).size, 1, "to the app it is one client");
  manager.onLaptop = laptop([]);
  clock.advance(appMs);
  assert.equal(await place.ask("6"), "laptop:6");
  const { app, laptop: laptops, fallbacks } = counters.numbers;
  assert.deepEqual([app, laptops, fallbacks], [1, 1, 2]);
  assert.deepEqual(place.reported, Array(2).fill("a: nobody has that port"));
});

for (const how of ["an answer", "two seconds"]) {
  Deno.test(`a laptop has the flow after ${how}, and what it loses then is not the app's`, async () => {
    await using place = await openUdpPlace();
    const { ports, manager, clock, counters, texts } = place;
    const asked: LaptopFlow[] = [];
    manager.onLaptop = (incoming) => asked.push(new LaptopFlow(incoming));
    await place.tell(rule("a", { ports }));
    place.send("1");
    await until(() => asked[0]?.heard.length === 1);
    if (how === "an answer") {
      asked[0]!.answer("here");
      assert.equal(await place.next(), "here");
    } else clock.advance(keptMs);
    asked[0]!.refuse();
    await until(() => manager.sessions[0]!.stats().streams === 1);
    place.send("2");
    await until(() => asked.length === 2);
    asked[1]!.refuse();
    assert.equal(await place.next(), "app:2");
    assert.deepEqual(texts, ["2"]);
    assert.equal(counters.numbers.laptop, 1);
  });
}

Deno.test("what a laptop in a container's place refuses is nobody's", async () => {
  await using place = await openUdpPlace();
  const { ports, manager, counters, texts } = place;
  const asked: LaptopFlow[] = [];
  manager.onLaptop = (incoming) => asked.push(new LaptopFlow(incoming));
  await place.tell(rule("a", { ports, mode: "replace" }));
  place.send("1");
  await until(() => asked[0]?.heard.length === 1);
  asked[0]!.refuse();
  await until(() => manager.sessions[0]!.stats().streams === 1);
  place.send("2");
  await until(() => asked[1]?.heard.length === 1);
  assert.deepEqual(texts, []);
  assert.equal(counters.numbers.fallbacks, 0);
});

Deno.test("a client that the app serves waits for a laptop that is away, but for two seconds only", async () => {
  await using place = await openUdpPlace();
  const { ports, manager, clock, counters } = place;
  await place.tell(rule("a", { ports }));
  assert.equal(await place.ask("1"), "app:1");
  await place.tell(rule("a", { ports, manager: "m-1" }));
  clock.advance(appMs);
  const asked = place.ask("2");
  await until(() => counters.numbers.held === 1);
  clock.advance(keptMs);
  assert.equal(await asked, "app:2");
  clock.advance(appMs);
  const askedAgain = place.ask("3");
  await until(() => counters.numbers.held === 2);
  manager.onLaptop = laptop([]);
  await place.tell(rule("a", { ports }));
  assert.equal(await askedAgain, "laptop:3");
});

Deno.test("a laptop's kernel says that nobody has the port, and who comes to have it gets the flow", async () => {
  const joined: Promise<void>[] = [];
  // They end with the place.
  await using ending = new AsyncDisposableStack();
  ending.defer(async () => void await Promise.all(joined));
  await using place = await openUdpPlace();
  const { ports, manager, clock } = place;
  const { port, [Symbol.asyncDispose]: free } = await openSocket();
  await free();
  const to = { ip: Ip.parse(loopback), port };
  manager.onLaptop = (incoming) => {
    const options = { clock: systemClock, idleMs: udpIdleMs.acceptor };
    const flow = new UdpDatagrams(to, options);
    joined.push(pipeDatagrams(flow, incoming.acceptDatagrams()));
  };
  await place.tell(rule("a", { ports }));
  assert.equal(await place.ask("1"), "app:1");
  assert.equal(await place.ask("2"), "app:2");
  await using server = await openSocket(port);
  server.socket.on("message", (message, { port, address }) => {
    server.socket.send(`laptop:${message}`, port, address);
  });
  assert.equal(await place.ask("3"), "app:3");
  clock.advance(appMs);
  assert.equal(await place.ask("4"), "laptop:4");
  assert.deepEqual(place.reported, ["a: nobody has that port"]);
});
