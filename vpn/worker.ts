/**
 * The worker's entry: reads the device until it is woken, or the device is gone. It never returns to its event loop
 * before that.
 */
import { Ip } from "../net/mod.ts";
import { Counters } from "./counters.ts";
import { frameStart } from "./frame.ts";
import { Hairpin } from "./hairpin.ts";
import { NatTable } from "./nat_table.ts";
import { openDeviceIo } from "./os.ts";
import { PacketRing } from "./packet_ring.ts";
import { PacketSwitch } from "./packet_switch.ts";
import type { WorkerEnd, WorkerFamily, WorkerStart } from "./worker_start.ts";

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<WorkerStart>) => void;
  postMessage(message: WorkerEnd): void;
};

scope.onmessage = ({ data }) => scope.postMessage(serve(data));

function serve(start: WorkerStart): WorkerEnd {
  using io = openDeviceIo(start.fd, start.wakeFd);
  const counters = new Counters(start.counters);
  const packets = new PacketSwitch({
    v4: start.v4 && hairpinOf(start.v4),
    v6: start.v6 && hairpinOf(start.v6),
    ring: new PacketRing(start.ring),
    counters,
  });
  const frame = packets.buffer.subarray(frameStart);
  for (;;) {
    const awaited = io.wait();
    // Also after the wake-up: the resets of the last connections were sent before it.
    for (let length = io.read(frame); length > 0; length = io.read(frame)) {
      const back = packets.handle(length);
      if (back > 0 && !io.write(frame, back)) {
        counters.add("dropped_by_kernel");
      }
    }
    if (awaited !== "readable") return awaited;
  }
}

function hairpinOf(
  { laptop, peer, listenerPort, table }: WorkerFamily,
): Hairpin {
  return new Hairpin({
    table: new NatTable(laptop.length === 4 ? 4 : 6, table),
    laptop: Ip.of(laptop),
    peer: Ip.of(peer),
    listenerPort,
  });
}
