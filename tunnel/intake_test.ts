import assert from "node:assert/strict";
import type { Conn } from "../net/mod.ts";
import { frameType } from "./frame.ts";
import { Intake } from "./intake.ts";
import { pattern } from "./session_fake.ts";

/** A carrier that gives zeros, as many as it is told, or bytes one by one; it notes for how many there was room. */
class Giver implements Pick<Conn, "read"> {
  readonly rooms: number[] = [];
  count = 0;
  single: number[] = [];

  read(into: Uint8Array): Promise<number> {
    this.rooms.push(into.length);
    const octet = this.single.shift();
    if (octet === undefined) {
      return Promise.resolve(Math.min(this.count, into.length));
    }
    into[0] = octet;
    return Promise.resolve(1);
  }
}

Deno.test("Intake has a large buffer while much comes, and a small one when little does", async () => {
  const carrier = new Giver();
  const intake = new Intake(carrier as unknown as Conn);
  const reads = async (times: number, count: number) => {
    carrier.count = count;
    for (let n = 0; n < times; n++) {
      await intake.fill();
      intake.discard();
    }
    return carrier.rooms.at(-1)!;
  };
  const small = await reads(1, 100);
  assert.ok(small < 32 * 1024, `${small}`);
  await reads(1, Infinity);
  const large = await reads(1, 100_000);
  assert.ok(large > 8 * small, `${large}`);
  assert.equal(await reads(20, 100), large, "a pause is no end");
  assert.equal(await reads(1, 100_000), large);
  assert.equal(await reads(50, 100), small);
});

Deno.test("Intake keeps what is not decoded when its buffer becomes another", async () => {
  const carrier = new Giver();
  const intake = new Intake(carrier as unknown as Conn);
  carrier.count = Infinity;
  await intake.fill();
  intake.discard();
  const body = pattern(60);
  const head = [frameType.welcome, 0, 0, body.length, 0, 0, 0, 0];
  carrier.single = [...head, ...body];
  const rooms = carrier.rooms.length;
  assert.deepEqual((await intake.greeting(frameType.welcome)).body, body);
  assert.ok(carrier.rooms[rooms]! > 10 * carrier.rooms.at(-1)!);
});
