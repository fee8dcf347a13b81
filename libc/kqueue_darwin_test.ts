import assert from "node:assert/strict";
import {
  decodeEvent,
  encodeEvent,
  eventFilters,
  eventFlags,
  trigger,
} from "./kqueue_darwin.ts";

Deno.test("an event is as the kernel expects it, and read as it is written", () => {
  const bytes = encodeEvent({
    id: 0x0102,
    filter: eventFilters.user,
    flags: eventFlags.add | eventFlags.clear,
    notes: trigger,
  });
  assert.equal(
    bytes.toHex(),
    "0201000000000000" + // identifier
      "f6ff" + "2100" + // EVFILT_USER, EV_ADD | EV_CLEAR
      "00000001" + // NOTE_TRIGGER
      "00".repeat(16), // data, the caller's own
  );
  const two = new Uint8Array([...new Uint8Array(32), ...bytes]);
  assert.deepEqual(decodeEvent(new DataView(two.buffer), 1), {
    id: 0x0102,
    filter: -10,
    flags: 0x21,
    notes: 0x01000000,
  });
});
