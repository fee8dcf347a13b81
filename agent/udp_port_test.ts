import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { FakeClock } from "../net/clock_fake.ts";
import { type Datagrams, Ip, RefusedError, udpIdleMs } from "../net/mod.ts";
import type { Incoming } from "../tunnel/mod.ts";
import { until } from "../tunnel/session_fake.ts";
import { loopback, openManagers } from "./agent_fake.ts";
import { App } from "./app.ts";
import { Counters } from "./counters.ts";
import { Fallbacks } from "./fallbacks.ts";
import { Laptops } from "./laptops.ts";
import { FakeManager, rule } from "./manager_fake.ts";
import { UdpPort } from "./udp_port.ts";

/** A socket on this machine. */
async function openSocket() {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, loopback, resolve));
  return {
    socket,
    port: socket.address().port,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}

async function open() {
  const clock = new FakeClock();
  const app = await openSocket();
  /** Ports from which the app heard. */
  const heard: number[] = [];
  app.socket.on("message", (message, { port, address }) => {
    heard.push(port);
    app.socket.send(`app:${message}`, port, address);
  });
  const manager = new FakeManager("m-0", { clock });
  const managers = openManagers(new Map([["10.0.0.1", manager]]), { clock });
  await until(() => manager.answers.length === 1);
  const counters = new Counters({ clock });
  // The system gives one that is free, for a moment.
  const { port: agentPort, [Symbol.asyncDispose]: free } = await openSocket();
  await free();
  const port = { port: app.port, protocol: "UDP" as const };
  const udpPort = await UdpPort.open({
    port: { ...port, agentPort, redirect: false },
    hostname: "::",
    app: new App({ port: app.port, ownAddresses: [Ip.parse(loopback)], clock }),
    laptops: new Laptops({ managers, counters, clock }),
    fallbacks: new Fallbacks({ counters, clock, report: () => {} }),
    ...{ managers, counters, clock },
  });
  const client = await openSocket();
  return {
    ...{ clock, manager, counters, heard, ports: [port] },
    ask: (text: string) => ask(client.socket, text, agentPort),
    async tell(...rules: Parameters<FakeManager["tell"]>) {
      const { length } = manager.answers;
      manager.tell(...rules);
      await until(() => manager.answers.length > length);
    },
    async [Symbol.asyncDispose]() {
      await udpPort[Symbol.asyncDispose]();
      await managers[Symbol.asyncDispose]();
      await manager[Symbol.asyncDispose]();
      counters[Symbol.dispose]();
      await client[Symbol.asyncDispose]();
      await app[Symbol.asyncDispose]();
    },
  };
}

async function ask(
  socket: Socket,
  text: string,
  port: number,
): Promise<string> {
  const answer = Promise.withResolvers<string>();
  socket.once("message", (message) => answer.resolve(String(message)));
  socket.send(text, port, loopback);
  return await answer.promise;
}

/** Answers each datagram as a laptop would, and notes it. */
function laptop(heard: string[]): (incoming: Incoming) => void {
  return (incoming) => {
    const datagrams = incoming.acceptDatagrams();
    void (async () => {
      const buffer = new Uint8Array(1000);
      for (;;) {
        const length = await datagrams.receive(buffer);
        if (length === null) break;
        const text = new TextDecoder().decode(buffer.subarray(0, length));
        heard.push(text);
        datagrams.send(new TextEncoder().encode(`laptop:${text}`));
      }
      datagrams.close();
      heard.push("end");
    })();
  };
}

Deno.test("a client has one flow to the app, until it is idle", async () => {
  await using place = await open();
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
  await using place = await open();
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
  await using place = await open();
  await place.tell(rule("a", { ports: place.ports }));
  assert.equal(await place.ask("1"), "app:1");
  assert.equal(place.counters.numbers.fallbacks, 1);
});

Deno.test("datagrams wait for a laptop that is away", async () => {
  await using place = await open();
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
  await using place = await open();
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
  await using place = await open();
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
