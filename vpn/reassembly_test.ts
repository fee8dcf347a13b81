import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeClock } from "../net/clock_fake.ts";
import { IpPacket } from "../net/mod.ts";
import { Reassembly } from "./reassembly.ts";

/** One IPv4 fragment of a datagram. */
function fragment(
  data: Uint8Array,
  { offset, more, id = 1 }: { offset: number; more: boolean; id?: number },
): IpPacket {
  const length = 20 + data.length;
  const place = offset / 8 | (more ? 0x2000 : 0);
  const bytes = Uint8Array.of(
    ...[0x45, 0, length >> 8, length & 0xff, id >> 8, id & 0xff],
    ...[place >> 8, place & 0xff, 64, 17, 0, 0],
    ...[10, 0, 0, 1, 10, 0, 0, 2],
    ...data,
  );
  const packet = new IpPacket();
  assert.ok(packet.parse(bytes, 0, bytes.length));
  return packet;
}

/** The datagram cut after each `size` octets. */
function cut(datagram: Uint8Array, size: number, id = 1): IpPacket[] {
  const pieces: IpPacket[] = [];
  for (let offset = 0; offset < datagram.length; offset += size) {
    const data = datagram.subarray(offset, offset + size);
    const more = offset + size < datagram.length;
    pieces.push(fragment(data, { offset, more, id }));
  }
  return pieces;
}

Deno.test("Reassembly puts fragments together in any order", () => {
  const datagrams = fc.uint8Array({ minLength: 9, maxLength: 3000 });
  const sizes = fc.integer({ min: 1, max: 100 }).map((words) => words * 8);
  fc.assert(
    fc.property(datagrams, sizes, fc.infiniteStream(fc.nat()), (...all) => {
      const [datagram, size, order] = all;
      const pieces = cut(datagram, size)
        .map((piece) => ({ piece, at: order.next().value! }))
        .sort((a, b) => a.at - b.at);
      const reassembly = new Reassembly({ clock: new FakeClock() });
      const wholes = pieces.map(({ piece }) => reassembly.add(piece));
      assert.deepEqual(wholes.at(-1), datagram);
      assert.ok(
        wholes.slice(0, -1).every((whole) => whole === undefined),
      );
      assert.equal(reassembly.dropped, 0);
    }),
  );
});

const eight = new Uint8Array(8);

Deno.test("Reassembly gives a datagram up whose fragments overlap", () => {
  const reassembly = new Reassembly({ clock: new FakeClock() });
  reassembly.add(fragment(new Uint8Array(16), { offset: 0, more: true }));
  reassembly.add(fragment(eight, { offset: 8, more: true }));
  assert.equal(reassembly.dropped, 1);
  // Nothing of it is left that the last fragment could complete.
  const last = fragment(eight, { offset: 16, more: false });
  assert.equal(reassembly.add(last), undefined);
});

Deno.test("Reassembly gives a datagram up that goes on behind its end", () => {
  const reassembly = new Reassembly({ clock: new FakeClock() });
  reassembly.add(fragment(eight, { offset: 16, more: true }));
  reassembly.add(fragment(eight, { offset: 8, more: false }));
  assert.equal(reassembly.dropped, 1);
});

Deno.test("Reassembly holds a bounded number of datagrams, the youngest", () => {
  const reassembly = new Reassembly({ clock: new FakeClock() });
  for (let id = 0; id < 40; id++) {
    reassembly.add(fragment(eight, { offset: 0, more: true, id }));
  }
  assert.equal(reassembly.dropped, 8);
  const last = fragment(eight, { offset: 8, more: false, id: 39 });
  assert.equal(reassembly.add(last)?.length, 16);
});

Deno.test("Reassembly forgets a datagram after 5 s", () => {
  const clock = new FakeClock();
  const reassembly = new Reassembly({ clock });
  reassembly.add(fragment(eight, { offset: 0, more: true }));
  clock.advance(5_000);
  const last = fragment(eight, { offset: 8, more: false });
  assert.equal(reassembly.add(last), undefined);
  assert.equal(reassembly.dropped, 1);
});
