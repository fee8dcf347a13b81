import assert from "node:assert/strict";
import { connect } from "node:net";
import { FakeClock } from "../net/clock_fake.ts";
import {
  type Conn,
  connPair,
  ConnResetError,
  type Endpoint,
  Ip,
  readUint16,
  type Refusal,
  RefusedError,
  Subnet,
  tcpFlags,
} from "../net/mod.ts";
import { packetOf, viewOf } from "../net/packet/packet_fake.ts";
import { Counters } from "./counters.ts";
import type { Dial } from "./dial.ts";
import { flowStates, tickMs } from "./nat_table.ts";
import { recordKinds } from "./packet_ring.ts";
import { TcpFlows } from "./tcp_flows.ts";

const laptop = "127.0.0.1";
const peer = "127.0.0.9";
const service = "10.96.0.1";

/** Flows whose device is the loopback address, and whose packets are kept. */
class World implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly counters = new Counters();
  readonly written: Uint8Array[] = [];
  readonly flows: TcpFlows;

  constructor(dial: Dial) {
    this.flows = new TcpFlows({
      subnet: {
        subnet: Subnet.parse("127.0.0.0/8"),
        laptop: Ip.parse(laptop),
        peer: Ip.parse(peer),
      },
      dial,
      write: (frame, length) => this.written.push(frame.slice(10, length)),
      counters: this.counters,
      clock: this.clock,
    });
  }

  /** Does what the worker does with a first SYN. */
  syn(sourcePort: number): { slot: number; generation: number } {
    const { table } = this.flows;
    const ports = (sourcePort << 16 | 80) >>> 0;
    const words = new Uint32Array(Ip.parse(service).bytes.slice().buffer);
    const slot = table.claim(ports, words, 0);
    const generation = table.generation(slot);
    const packet = packetOf({
      from: laptop,
      to: service,
      protocol: 6,
      transport: [sourcePort >> 8, sourcePort & 255, 0, 80]
        .concat([0, 0, 0, 1, 0, 0, 0, 0, 0x50, tcpFlags.syn, 1, 0, 0, 0, 0, 0]),
    });
    const bytes = Uint8Array.of(...new Array(10).fill(0), ...packet);
    this.flows.onSyn({ kind: recordKinds.syn, slot, generation, bytes });
    return { slot, generation };
  }

  tick(ms: number): void {
    for (let passed = 0; passed < ms; passed += tickMs) {
      this.clock.advance(tickMs);
      this.flows.table.passTick();
      this.flows.sweep();
    }
  }

  /** Waits until a packet was written. */
  async packet(): Promise<Uint8Array> {
    while (this.written.length === 0) await turn();
    return this.written.shift()!;
  }

  /** A connection that comes out of the listener as that of a slot does. */
  async handshake(slot: number, from = peer) {
    const app = connect({
      host: laptop,
      port: this.flows.listenerPort,
      localAddress: from,
      localPort: slot,
    });
    const ended = new Promise<string>((resolve) => {
      app.on(
        "error",
        (error: NodeJS.ErrnoException) =>
          resolve(error.code === "ECONNRESET" ? "reset" : error.message),
      );
      app.on("end", () => resolve("end"));
    });
    const connected = new Promise((resolve) => app.once("connect", resolve));
    // A reset may be faster than the news of the connection.
    await Promise.race([connected, ended]);
    return { app, ended };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flows.stop();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function refuse(refusal: Refusal): Dial {
  return () => Promise.reject(new RefusedError(refusal, "no"));
}

/** A dial that waits until it is aborted. */
function wait(signals: AbortSignal[]): Dial {
  return (_to, { signal }) => {
    signals.push(signal);
    return new Promise(() => {});
  };
}

Deno.test("TcpFlows dials what the SYN names, then writes the SYN to the listener", async () => {
  const dialled: { to: Endpoint; from: Endpoint }[] = [];
  const [ours, theirs] = connPair();
  await using world = new World((to, { from }) => {
    dialled.push({ to, from });
    return Promise.resolve(ours);
  });
  const { slot } = world.syn(40_000);
  const packet = viewOf(await world.packet());
  assert.equal(`${dialled[0]!.to.ip} ${dialled[0]!.to.port}`, `${service} 80`);
  assert.equal(`${dialled[0]!.from.ip}`, laptop);
  assert.equal(dialled[0]!.from.port, 40_000);
  assert.equal(String(packet.sourceIp), peer);
  assert.equal(String(packet.destinationIp), laptop);
  assert.equal(readUint16(packet.bytes, packet.payload), slot);
  assert.equal(
    readUint16(packet.bytes, packet.payload + 2),
    world.flows.listenerPort,
  );
  const { app, ended } = await world.handshake(slot);
  app.write("hello");
  const into = new Uint8Array(10);
  assert.equal(await theirs.read(into), 5);
  theirs.reset();
  assert.equal(await ended, "reset");
  app.destroy();
});

const answers: [Refusal, written: string | undefined][] = [
  ["refused", "reset"],
  ["unreachable", "icmp 3 1 from 127.0.0.9"], // host
  ["forbidden", "icmp 3 13 from 127.0.0.9"], // prohibited
  ["gone", "icmp 3 0 from 127.0.0.9"], // network
  ["timeout", undefined],
  ["overloaded", undefined],
];

for (const [refusal, wanted] of answers) {
  Deno.test(`a dial refused as "${refusal}" is answered by ${wanted ?? "silence"}`, async () => {
    await using world = new World(refuse(refusal));
    const { slot } = world.syn(40_000);
    while (world.counters.read().tcp_refused === 0) await turn();
    const packet = world.written[0] && viewOf(world.written[0]);
    const { table } = world.flows;
    assert.equal(table.state(slot), flowStates.free);
    assert.equal(packet && told(packet), wanted);
  });
}

function told(
  { bytes, payload, protocol, sourceIp }: ReturnType<typeof viewOf>,
) {
  if (protocol === 6) {
    return bytes[payload + 13]! & tcpFlags.rst ? "reset" : "tcp";
  }
  return `icmp ${bytes[payload]} ${bytes[payload + 1]} from ${sourceIp}`;
}

Deno.test("a dial that breaks is an unreachable host", async () => {
  await using world = new World(() => Promise.reject(new TypeError("a bug")));
  world.syn(40_000);
  assert.equal(told(viewOf(await world.packet())), "icmp 3 1 from 127.0.0.9");
});

Deno.test("a dial is aborted, and its slot freed, when the app sends no SYN any more", async () => {
  const signals: AbortSignal[] = [];
  await using world = new World(wait(signals));
  const { slot } = world.syn(40_000);
  await turn();
  world.tick(3_000);
  assert.equal(signals[0]!.aborted, false);
  world.tick(2_000);
  assert.equal(signals[0]!.aborted, true);
  assert.equal(world.flows.table.state(slot), flowStates.free);
  await turn();
  assert.deepEqual(world.written, []);
  assert.deepEqual(world.flows.current, { held: 0, open: 0 });
});

Deno.test("a service that is dialled too late for its app is reset", async () => {
  const dialled = Promise.withResolvers<Conn>();
  await using world = new World(() => dialled.promise);
  const { slot } = world.syn(40_000);
  await turn();
  world.flows.table.noteReset(slot);
  const [ours, theirs] = connPair();
  dialled.resolve(ours);
  await assert.rejects(theirs.read(new Uint8Array(1)), ConnResetError);
  assert.deepEqual(world.written, []);
});

Deno.test("an app that resets before its connection is accepted resets its service", async () => {
  const [ours, theirs] = connPair();
  await using world = new World(() => Promise.resolve(ours));
  const { slot, generation } = world.syn(40_000);
  await world.packet();
  world.flows.table.noteReset(slot);
  world.tick(tickMs);
  await assert.rejects(theirs.read(new Uint8Array(1)), ConnResetError);
  // What still comes out of the listener for the slot belongs to nobody.
  const { app, ended } = await world.handshake(slot);
  assert.equal(await ended, "reset");
  assert.ok(world.flows.table.hasEnded(slot, generation));
  app.destroy();
});

Deno.test("a reset of the app reaches a service that takes no more", async () => {
  const [ours, theirs] = connPair({ bufferBytes: 1 });
  await using world = new World(() => Promise.resolve(ours));
  const { slot } = world.syn(40_000);
  await world.packet();
  const { app } = await world.handshake(slot);
  app.write("more than it takes");
  while (world.flows.current.open === 0) await turn();
  world.flows.table.noteReset(slot);
  world.tick(tickMs);
  await assert.rejects(theirs.write(new Uint8Array(1)), ConnResetError);
  app.destroy();
});

Deno.test("a handshake that never ends is given up", async () => {
  const [ours, theirs] = connPair();
  await using world = new World(() => Promise.resolve(ours));
  world.syn(40_000);
  await world.packet();
  world.tick(64_000);
  const read = theirs.read(new Uint8Array(1));
  world.tick(2_000);
  await assert.rejects(read, ConnResetError);
});

Deno.test("a connection that no flow stands behind is reset", async () => {
  await using world = new World(refuse("refused"));
  const anyPort = 0;
  for (const [from, port] of [[peer, 41_000], [laptop, anyPort]] as const) {
    const { app, ended } = await world.handshake(port, from);
    assert.equal(await ended, "reset");
    app.destroy();
  }
  assert.equal(world.counters.read().tcp_strangers, 2);
});

Deno.test("more SYNs than may be held are dropped and counted", async () => {
  await using world = new World(wait([]));
  for (let port = 1; port <= 4097; port++) world.syn(port);
  assert.equal(world.counters.read().tcp_overloaded, 1);
  assert.equal(world.flows.table.state(4097), flowStates.free);
  assert.equal(world.flows.current.held, 4096);
});

Deno.test("TcpFlows.stop() answers what is held and resets what is open", async () => {
  const [ours, theirs] = connPair();
  const signals: AbortSignal[] = [];
  const world = new World((to, options) =>
    options.from.port === 40_000
      ? Promise.resolve(ours)
      : wait(signals)(to, options)
  );
  const { slot } = world.syn(40_000);
  await world.packet();
  const { app, ended } = await world.handshake(slot);
  while (world.flows.current.open === 0) await turn();
  world.syn(40_001);
  await turn();
  await world.flows.stop();
  assert.equal(signals[0]!.aborted, true);
  assert.equal(told(viewOf(await world.packet())), "icmp 3 0 from 127.0.0.9");
  assert.equal(await ended, "reset");
  await assert.rejects(theirs.read(new Uint8Array(1)), ConnResetError);
  app.destroy();
});
