/**
 * Turns packets round: what an app sends to a service comes back to our own listener, and the other way. The kernel's
 * TCP then terminates the app's connections, and nothing is left to do but to rewrite headers.
 *
 *     app -> service   laptop:sport -> D:dport       becomes   peer:slot -> laptop:listener
 *     listener -> app  laptop:listener -> peer:slot  becomes   D:dport -> laptop:sport
 *
 * Both rewrites change the checksums by the same amount in opposite directions, so it is computed once for a flow.
 */
import {
  deltaOf,
  fold,
  type Ip,
  type IpPacket,
  readUint16,
  sumOf,
  tcpChecksumAt,
  updateChecksum,
  updateSum,
  writeUint16,
} from "../net/mod.ts";
import { needsChecksum } from "./frame.ts";
import type { NatTable } from "./nat_table.ts";

/** Where the checksum stands in an IPv4 header. */
const checksumAtV4 = 10;

/** What the hairpin of one address family works with. */
export interface HairpinOptions {
  table: NatTable;
  /** The laptop's own address on the TUN device. */
  laptop: Ip;
  /** Who flows seem to come from. */
  peer: Ip;
  /** Port of our listener on the laptop's address. */
  listenerPort: number;
}

/** The hairpin of one address family. */
export class Hairpin {
  readonly table: NatTable;
  readonly listenerPort: number;
  /** Addresses as they stand in a packet, in words of this machine's byte order. */
  readonly laptop: Uint32Array;
  readonly peer: Uint32Array;
  readonly #peerSum: number;

  constructor({ table, laptop, peer, listenerPort }: HairpinOptions) {
    this.table = table;
    this.listenerPort = listenerPort;
    this.laptop = new Uint32Array(laptop.bytes.slice().buffer);
    this.peer = new Uint32Array(peer.bytes.slice().buffer);
    this.#peerSum = sumOf(peer.bytes, { start: 0, end: peer.bytes.length });
  }

  /** Takes a slot for the flow of an app's packet and prepares its rewrites; -1 when the table has no room. */
  claim(packet: IpPacket, words: Uint32Array, ports: number): number {
    const slot = this.table.claim(ports, words, packet.destination >> 2);
    if (slot < 0) return -1;
    // The laptop's address goes from source to destination and so cancels out.
    const destination = sumOf(packet.bytes, {
      start: packet.destination,
      end: packet.destination + this.peer.length * 4,
    });
    this.table.setDeltas(slot, {
      address: deltaOf(destination, this.#peerSum),
      port: deltaOf(
        fold((ports >>> 16) + (ports & 0xffff)),
        fold(slot + this.listenerPort),
      ),
    });
    return slot;
  }

  /** From the app: to our listener, as if from the peer. `words` is the same memory as the packet's. */
  forward(packet: IpPacket, words: Uint32Array, slot: number): void {
    const { bytes, payload } = packet;
    const source = packet.source >> 2;
    const destination = packet.destination >> 2;
    for (let i = 0; i < this.peer.length; i++) {
      words[source + i] = this.peer[i]!;
      words[destination + i] = this.laptop[i]!;
    }
    writeUint16(bytes, payload, slot);
    writeUint16(bytes, payload + 2, this.listenerPort);
    const { table } = this;
    fixChecksums(packet, table.addressDelta(slot), table.portDelta(slot));
  }

  /** From our listener: to the app, as if from the service. */
  backward(packet: IpPacket, words: Uint32Array, slot: number): void {
    const { table } = this;
    const { bytes, payload } = packet;
    const source = packet.source >> 2;
    const destination = packet.destination >> 2;
    for (let i = 0; i < this.laptop.length; i++) {
      words[source + i] = table.destinationWord(slot, i);
      words[destination + i] = this.laptop[i]!;
    }
    writeUint16(bytes, payload, table.destinationPort(slot));
    writeUint16(bytes, payload + 2, table.sourcePort(slot));
    fixChecksums(
      packet,
      ~table.addressDelta(slot) & 0xffff,
      ~table.portDelta(slot) & 0xffff,
    );
  }
}

function fixChecksums(
  { bytes, start, payload, family }: IpPacket,
  addressDelta: number,
  portDelta: number,
): void {
  if (family === 4) {
    const at = start + checksumAtV4;
    writeUint16(
      bytes,
      at,
      updateChecksum(readUint16(bytes, at), addressDelta),
    );
  }
  const at = payload + tcpChecksumAt;
  const field = readUint16(bytes, at);
  // A checksum that is only begun covers the pseudo-header, where the ports are not.
  writeUint16(
    bytes,
    at,
    needsChecksum(bytes)
      ? updateSum(field, addressDelta)
      : updateChecksum(field, fold(addressDelta + portDelta)),
  );
}
