/**
 * What happens to each packet that the kernel sends into the device. In this order:
 *
 * 1. Only well-formed packets from the laptop's own address count.
 * 2. One without a hop left ends here, as at the first router of a pod; its sender is told.
 * 3. TCP is turned round in place by the table of flows. The first SYN of a flow goes to the main thread, which dials.
 * 4. UDP and ICMP echo requests go to the main thread, whole or in fragments.
 * 5. Everything else is dropped and counted.
 */
import {
  Ip,
  IpPacket,
  isEcho,
  isTcp,
  protocols,
  readUint16,
  tcpFlags,
  tcpFlagsOf,
} from "../net/mod.ts";
import { Counters } from "./counters.ts";
import { frameBufferBytes, frameStart, packetStart } from "./frame.ts";
import type { Hairpin } from "./hairpin.ts";
import { finFromApp, finFromService, flowStates } from "./nat_table.ts";
import { type PacketRing, recordKinds } from "./packet_ring.ts";
import { icmpErrorFrame, writeResetFrame } from "./reply_frame.ts";

export interface PacketSwitchOptions {
  v4?: Hairpin | undefined;
  v6?: Hairpin | undefined;
  ring: PacketRing;
  counters: Counters;
}

const nobody = { slot: 0, generation: 0 };

/** Places of the counters, so that the packet path compares no names. */
const at = Counters.indexOf;
const packetsFromApps = at("packets_from_apps");
const packetsToApps = at("packets_to_apps");
const malformed = at("dropped_malformed");
const foreign = at("dropped_foreign");
const unsupported = at("dropped_unsupported");
const expired = at("expired");
const unknownFlow = at("dropped_unknown_flow");
const tableFull = at("dropped_table_full");
const queueFull = at("dropped_queue_full");

export class PacketSwitch {
  /** Holds the frame that is dealt with, from {@link frameStart} on. */
  readonly buffer = new Uint8Array(frameBufferBytes);
  readonly #words = new Uint32Array(this.buffer.buffer);
  readonly #packet = new IpPacket();
  readonly #v4: Hairpin | undefined;
  readonly #v6: Hairpin | undefined;
  readonly #ring: PacketRing;
  readonly #counters: Counters;

  constructor({ v4, v6, ring, counters }: PacketSwitchOptions) {
    this.#v4 = v4;
    this.#v6 = v6;
    this.#ring = ring;
    this.#counters = counters;
  }

  /**
   * Deals with the frame of `length` octets in {@link buffer}.
   *
   * @returns how many octets of {@link buffer}, from {@link frameStart} on, go back into the device; 0 for none.
   */
  handle(length: number): number {
    const packet = this.#packet;
    const end = frameStart + length;
    if (!packet.parse(this.buffer, packetStart, end)) {
      return this.#drop(malformed);
    }
    const hairpin = packet.family === 4 ? this.#v4 : this.#v6;
    if (!hairpin || !this.#isAt(packet.source, hairpin.laptop)) {
      return this.#drop(foreign);
    }
    if (this.#hopsLeft() <= 1) return this.#refuseExpired(hairpin);
    if (packet.protocol === protocols.tcp && !packet.isFragment) {
      return this.#handleTcp(hairpin, length);
    }
    const kind = this.#kindOfDatagram();
    if (kind === undefined || this.#isToMany()) return this.#drop(unsupported);
    this.#handUp(kind, length);
    return 0;
  }

  #handleTcp(hairpin: Hairpin, length: number): number {
    const packet = this.#packet;
    if (!isTcp(packet)) return this.#drop(malformed);
    const flags = tcpFlagsOf(packet);
    if (this.#isAt(packet.destination, hairpin.peer)) {
      return this.#handleBackward(hairpin, length, flags);
    }
    const { table } = hairpin;
    const ports = this.#ports();
    const slot = table.find(ports, this.#words, packet.destination >> 2);
    const state = slot < 0 ? flowStates.free : table.state(slot);
    if ((flags & (tcpFlags.syn | tcpFlags.ack)) === tcpFlags.syn) {
      if (state === flowStates.free || state === flowStates.ended) {
        return this.#holdSyn(hairpin, length, ports);
      }
      if (state === flowStates.held) {
        table.noteSyn(slot);
        return 0;
      }
    }
    if (state === flowStates.held && flags & tcpFlags.rst) {
      table.noteReset(slot);
      return 0;
    }
    if (state !== flowStates.open && state !== flowStates.ended) {
      return this.#refuseUnknown();
    }
    hairpin.forward(packet, this.#words, slot);
    if (flags & tcpFlags.rst) table.noteReset(slot);
    else if (flags & tcpFlags.fin) table.noteFin(slot, finFromApp);
    this.#counters.addAt(packetsFromApps);
    return length;
  }

  /** Our listener's answers; nothing else may talk to the peer. */
  #handleBackward(hairpin: Hairpin, length: number, flags: number): number {
    const { table, listenerPort } = hairpin;
    const ports = this.#ports();
    const slot = ports & 0xffff;
    const state = table.state(slot);
    if (
      ports >>> 16 !== listenerPort ||
      state !== flowStates.open && state !== flowStates.ended
    ) return this.#drop(unknownFlow);
    hairpin.backward(this.#packet, this.#words, slot);
    if (flags & tcpFlags.rst) table.noteReset(slot);
    else if (flags & tcpFlags.fin) table.noteFin(slot, finFromService);
    this.#counters.addAt(packetsToApps);
    return length;
  }

  #holdSyn(hairpin: Hairpin, length: number, ports: number): number {
    const { table } = hairpin;
    const slot = hairpin.claim(this.#packet, this.#words, ports);
    if (slot < 0) return this.#drop(tableFull);
    const generation = table.generation(slot);
    if (!this.#handUp(recordKinds.syn, length, { slot, generation })) {
      // The app's kernel will send its SYN again.
      table.refuse(slot, generation);
    }
    return 0;
  }

  /** A packet of a connection that ended before its app knew, as when `tp` was killed: the app is told at once. */
  #refuseUnknown(): number {
    this.#counters.addAt(unknownFlow);
    return writeResetFrame(this.buffer, this.#packet);
  }

  /** Nobody is told of a packet to many, of an error, or of a piece that is not the first (RFC 1122 section 3.2.2). */
  #refuseExpired({ peer }: Hairpin): number {
    const packet = this.#packet;
    const isAsked = packet.protocol === protocols.tcp ||
      this.#kindOfDatagram() !== undefined;
    if (!isAsked || packet.fragmentOffset > 0 || this.#isToMany()) {
      return this.#drop(unsupported);
    }
    this.#counters.addAt(expired);
    const { buffer, length } = icmpErrorFrame(packet, {
      reason: "expired",
      from: Ip.of(new Uint8Array(peer.buffer)),
    });
    const frame = buffer.subarray(frameStart, frameStart + length);
    this.buffer.set(frame, frameStart);
    return length;
  }

  /** As what the packet goes to the main thread; `undefined` when it does not. */
  #kindOfDatagram(): number | undefined {
    const { protocol, family, payload, end, isFragment } = this.#packet;
    if (protocol === protocols.udp) return recordKinds.datagram;
    const icmp = family === 4 ? protocols.icmp : protocols.icmpV6;
    if (protocol !== icmp) return undefined;
    const isRequest = isFragment ||
      isEcho(this.buffer.subarray(payload, end), { family, kind: "request" });
    return isRequest ? recordKinds.echo : undefined;
  }

  /** Time to live, hop limit. */
  #hopsLeft(): number {
    const { start, family } = this.#packet;
    return this.buffer[start + (family === 4 ? 8 : 7)]!;
  }

  /** Copies the frame to the main thread. Returns false, and counts, when there is no room. */
  #handUp(
    kind: number,
    length: number,
    { slot, generation }: { slot: number; generation: number } = nobody,
  ): boolean {
    const bytes = this.buffer.subarray(frameStart, frameStart + length);
    const hasRoom = this.#ring.write({ kind, slot, generation, bytes });
    if (!hasRoom) this.#counters.addAt(queueFull);
    return hasRoom;
  }

  #drop(reason: number): number {
    this.#counters.addAt(reason);
    return 0;
  }

  /** Source and destination port in one number. */
  #ports(): number {
    const { payload } = this.#packet;
    const source = readUint16(this.buffer, payload);
    return (source << 16 | readUint16(this.buffer, payload + 2)) >>> 0;
  }

  #isAt(at: number, address: Uint32Array): boolean {
    for (let i = 0; i < address.length; i++) {
      if (this.#words[(at >> 2) + i] !== address[i]) return false;
    }
    return true;
  }

  /** Multicast, or the broadcast address. */
  #isToMany(): boolean {
    const { destination, family } = this.#packet;
    const first = this.buffer[destination]!;
    return family === 4 ? first >= 224 : first === 0xff;
  }
}
