/** A packet switch of both families, and apps' packets for it. */
import { packetOf } from "../net/packet/packet_fake.ts";
import { Ip } from "../net/mod.ts";
import { Counters } from "./counters.ts";
import { clearVnet, frameStart, packetStart } from "./frame.ts";
import { Hairpin } from "./hairpin.ts";
import { NatTable } from "./nat_table.ts";
import { PacketRing } from "./packet_ring.ts";
import { PacketSwitch } from "./packet_switch.ts";

export const listenerPort = 5555;

/** Who is who, by family. */
export const names = {
  4: { laptop: "198.18.0.1", peer: "198.18.0.2", service: "10.96.0.10" },
  6: { laptop: "fd74::1", peer: "fd74::2", service: "fd00:96::a" },
} as const;

export class FakeSwitch {
  readonly counters = new Counters();
  readonly ring: PacketRing;
  readonly tables = { 4: new NatTable(4), 6: new NatTable(6) };
  readonly packets: PacketSwitch;

  /** @param ringBytes Room for packets on the way to the main thread; a power of two. */
  constructor({ ringBytes = 1 << 16 } = {}) {
    this.ring = new PacketRing(new SharedArrayBuffer(8 + ringBytes));
    this.packets = new PacketSwitch({
      v4: this.#hairpin(4),
      v6: this.#hairpin(6),
      ring: this.ring,
      counters: this.counters,
    });
  }

  /** Deals with a packet from the device. Returns the one that goes back into it. */
  handle(
    packet: Uint8Array,
    { vnet }: { vnet?: number[] } = {},
  ): Uint8Array | undefined {
    const { buffer } = this.packets;
    clearVnet(buffer);
    if (vnet) buffer.set(vnet, frameStart);
    buffer.set(packet, packetStart);
    const length = this.packets.handle(
      packetStart - frameStart + packet.length,
    );
    return length === 0
      ? undefined
      : buffer.slice(packetStart, frameStart + length);
  }

  /** Sends the first SYN of a flow and opens it, as the main thread does. Returns its slot. */
  open(family: 4 | 6, sourcePort = 40_000): number {
    this.handle(tcp(family, { flags: 2, sourcePort }));
    const record = this.ring.read()!;
    this.ring.release(record);
    this.tables[family].open(record.slot, record.generation);
    return record.slot;
  }

  /** The counters that are not 0. */
  get counted(): Record<string, number> {
    return Object.fromEntries(
      Object.entries(this.counters.read()).filter(([, value]) => value > 0),
    );
  }

  #hairpin(family: 4 | 6): Hairpin {
    const { laptop, peer } = names[family];
    return new Hairpin({
      table: this.tables[family],
      laptop: Ip.parse(laptop),
      peer: Ip.parse(peer),
      listenerPort,
    });
  }
}

export interface Segment {
  flags: number;
  from?: string;
  to?: string;
  sourcePort?: number;
  destinationPort?: number;
  data?: number[];
}

/** A TCP packet, by default of an app to the service's port 80. */
export function tcp(family: 4 | 6, segment: Segment): Uint8Array<ArrayBuffer> {
  const { laptop, service } = names[family];
  const { flags, from = laptop, to = service, data = [] } = segment;
  const { sourcePort = 40_000, destinationPort = 80 } = segment;
  const ports = [sourcePort >> 8, sourcePort & 255]
    .concat([destinationPort >> 8, destinationPort & 255]);
  const numbers = [0, 0, 0, 9, 0, 0, 0, 8];
  const rest = [0x50, flags, 0xff, 0xff, 0, 0, 0, 0];
  const transport = [...ports, ...numbers, ...rest, ...data];
  return packetOf({ from, to, protocol: 6, transport, checksumAt: 16 });
}

/** The answer of our listener to the flow of a slot. */
export function answer(
  family: 4 | 6,
  slot: number,
  segment: Segment,
): Uint8Array<ArrayBuffer> {
  return tcp(family, {
    from: names[family].laptop,
    to: names[family].peer,
    sourcePort: listenerPort,
    destinationPort: slot,
    ...segment,
  });
}

/** A UDP packet without payload, by default of an IPv4 app. */
export function udp(
  to: string,
  from: string = names[4].laptop,
): Uint8Array<ArrayBuffer> {
  return packetOf({
    ...{ from, to, protocol: 17, transport: [0, 1, 0, 53, 0, 8, 0, 0] },
  });
}

/** An app's message of ICMP of this type, by default to the service. */
export function icmp(
  family: 4 | 6,
  type: number,
  to: string = names[family].service,
): Uint8Array<ArrayBuffer> {
  return packetOf({
    from: names[family].laptop,
    to,
    protocol: family === 4 ? 1 : 58,
    transport: [type, 0, 0, 0, 0, 1, 0, 1],
  });
}

/** The packet with a time to live of 1. */
export function lastHop(
  packet: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  packet[packet[0]! >> 4 === 4 ? 8 : 7] = 1;
  return packet;
}
