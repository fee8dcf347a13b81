import assert from "node:assert/strict";
import {
  finFromApp,
  finFromService,
  flowStates,
  NatTable,
  tickMs,
} from "./nat_table.ts";

const service = Uint32Array.of(0x0a600001);
const other = Uint32Array.of(0x0a600002);
const ports = portsOf(40_000, 80);

function portsOf(source: number, destination: number): number {
  return (source << 16 | destination) >>> 0;
}

function pass(table: NatTable, ms: number): void {
  for (let passed = 0; passed < ms; passed += tickMs) table.passTick();
}

/** A flow whose dial was accepted. */
function openFlow(table: NatTable, words = service): [number, number] {
  const slot = table.claim(ports, words, 0);
  const generation = table.generation(slot);
  assert.ok(table.open(slot, generation));
  return [slot, generation];
}

Deno.test("NatTable.claim() takes the source port as the slot", () => {
  const table = new NatTable(4);
  assert.equal(table.claim(ports, service, 0), 40_000);
  assert.equal(table.find(ports, service, 0), 40_000);
  assert.equal(table.state(40_000), flowStates.held);
  assert.equal(table.sourcePort(40_000), 40_000);
  assert.equal(table.destinationPort(40_000), 80);
});

Deno.test("NatTable keeps flows of one source port to different services apart", () => {
  const table = new NatTable(4);
  assert.equal(table.claim(ports, service, 0), 40_000);
  assert.equal(table.claim(ports, other, 0), 40_001);
  assert.equal(table.find(ports, service, 0), 40_000);
  assert.equal(table.find(ports, other, 0), 40_001);
  assert.equal(table.find(portsOf(40_000, 81), service, 0), -1);
});

Deno.test("NatTable compares all of an IPv6 address", () => {
  const table = new NatTable(6);
  const address = Uint32Array.of(1, 2, 3, 4);
  const slot = table.claim(ports, address, 0);
  assert.equal(table.find(ports, address, 0), slot);
  for (let word = 0; word < 4; word++) {
    const changed = address.slice();
    changed[word]! ^= 1;
    assert.equal(table.find(ports, changed, 0), -1);
  }
});

Deno.test("NatTable wraps from the last port to the first, which is not 0", () => {
  const table = new NatTable(4);
  const last = portsOf(65_535, 80);
  assert.equal(table.claim(last, service, 0), 65_535);
  assert.equal(table.claim(last, other, 0), 1);
  assert.equal(table.find(last, other, 0), 1);
});

Deno.test("NatTable.claim() says when no slot is within reach", () => {
  const table = new NatTable(4);
  const claim = (i: number) => table.claim(ports, Uint32Array.of(i), 0);
  for (let i = 0; i < 64; i++) assert.ok(claim(i) >= 0);
  assert.equal(claim(64), -1);
});

Deno.test("NatTable.refuse() frees a held flow, and only that one", () => {
  const table = new NatTable(4);
  const slot = table.claim(ports, service, 0);
  const generation = table.generation(slot);
  table.refuse(slot, generation + 1);
  assert.equal(table.state(slot), flowStates.held);
  table.refuse(slot, generation);
  assert.equal(table.find(ports, service, 0), -1);
  assert.equal(table.open(slot, generation), false);
});

Deno.test("an idle connection keeps its slot for ever", () => {
  const table = new NatTable(4);
  const [slot] = openFlow(table);
  pass(table, 100 * 3_600_000);
  assert.equal(table.find(ports, service, 0), slot);
  assert.notEqual(table.claim(ports, other, 0), slot);
});

Deno.test("a half-closed connection keeps its slot for ever", () => {
  const table = new NatTable(4);
  const [slot, generation] = openFlow(table);
  table.noteFin(slot, finFromApp);
  table.noteFin(slot, finFromApp);
  assert.equal(table.hasEnded(slot, generation), false);
  pass(table, 3_600_000);
  assert.notEqual(table.claim(ports, other, 0), slot);
  table.noteFin(slot, finFromService);
  assert.ok(table.hasEnded(slot, generation));
  assert.equal(table.wasReset(slot, generation), false);
});

Deno.test("NatTable.wasReset() tells a reset from an orderly end", () => {
  const table = new NatTable(4);
  const [slot, generation] = openFlow(table);
  table.noteFin(slot, finFromApp);
  assert.equal(table.wasReset(slot, generation), false);
  table.noteReset(slot);
  assert.equal(table.wasReset(slot, generation), true);
  assert.equal(table.wasReset(slot, generation + 1), false);
});

Deno.test("a flow that ended serves late packets, then its slot is free", () => {
  const table = new NatTable(4);
  const [slot, generation] = openFlow(table);
  table.noteFin(slot, finFromApp);
  table.noteFin(slot, finFromService);
  table.letGo(slot, generation);
  pass(table, 59_000);
  assert.equal(table.find(ports, service, 0), slot);
  assert.equal(table.claim(portsOf(40_000, 81), service, 0), slot + 1);
  pass(table, 2_000);
  assert.equal(table.claim(portsOf(40_000, 82), service, 0), slot);
});

Deno.test("a port that is used again at once keeps its slot, as another flow", () => {
  const table = new NatTable(4);
  const [slot, generation] = openFlow(table);
  table.noteReset(slot);
  table.letGo(slot, generation);
  assert.equal(table.claim(ports, service, 0), slot);
  assert.notEqual(table.generation(slot), generation);
  // What the flow before it left behind cannot touch it.
  table.letGo(slot, generation);
  table.refuse(slot, generation);
  pass(table, 600_000);
  assert.equal(table.state(slot), flowStates.held);
  assert.ok(table.hasEnded(slot, generation));
});

Deno.test("a flow whose connection is still to come out of the listener keeps its slot", () => {
  const table = new NatTable(4);
  const [slot] = openFlow(table);
  table.noteReset(slot);
  const again = table.claim(ports, service, 0);
  assert.equal(again, slot + 1);
  assert.equal(table.find(ports, service, 0), again);
});

Deno.test("a connection that is closed without its end being seen frees its slot later", () => {
  const table = new NatTable(4);
  const [slot, generation] = openFlow(table);
  table.letGo(slot, generation);
  pass(table, 170_000);
  assert.notEqual(table.claim(ports, other, 0), slot);
  pass(table, 20_000);
  assert.equal(table.claim(portsOf(40_000, 82), service, 0), slot);
});

Deno.test("under pressure the slot that has waited longest is used again", () => {
  const table = new NatTable(4);
  for (let i = 0; i < 64; i++) {
    const [slot, generation] = openFlow(table, Uint32Array.of(i));
    if (i !== 20 && i !== 30) continue;
    table.noteReset(slot);
    table.letGo(slot, generation);
    pass(table, 1_000);
  }
  assert.equal(table.claim(ports, Uint32Array.of(100), 0), 40_020);
  assert.equal(table.claim(ports, Uint32Array.of(101), 0), 40_030);
  assert.equal(table.claim(ports, Uint32Array.of(102), 0), -1);
});

Deno.test("NatTable.isAbandoned() waits for the SYN that is due", () => {
  const table = new NatTable(4);
  const slot = table.claim(ports, service, 0);
  // As Linux repeats a SYN: after 1 s, then after twice as long each time.
  for (const ms of [1_000, 2_000, 4_000, 8_000, 16_000]) {
    pass(table, ms);
    assert.equal(table.isAbandoned(slot), false);
    table.noteSyn(slot);
  }
  pass(table, 32_000);
  assert.equal(table.isAbandoned(slot), false);
  pass(table, 2_000);
  assert.equal(table.isAbandoned(slot), true);
});

Deno.test("generations of a slot count on past the largest", () => {
  const table = new NatTable(4);
  let before = -1;
  for (let i = 0; i < 70_000; i++) {
    const slot = table.claim(ports, service, 0);
    const generation = table.generation(slot);
    assert.notEqual(generation, before);
    assert.equal(table.state(slot), flowStates.held);
    table.refuse(slot, generation);
    before = generation;
  }
});

Deno.test("two threads see the same table", () => {
  const table = new NatTable(4);
  const twin = new NatTable(4, table.memory);
  const [slot, generation] = openFlow(table);
  assert.equal(twin.find(ports, service, 0), slot);
  twin.noteReset(slot);
  assert.ok(table.hasEnded(slot, generation));
});
