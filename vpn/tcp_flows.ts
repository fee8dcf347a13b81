/**
 * The TCP flows of one address family, in the main thread:
 *
 * 1. A first SYN comes from the worker; the destination is dialled while it is held.
 * 2. Accepted: the SYN is written back, turned round to our listener; the kernel shakes hands with the app.
 * 3. The listener's connection is matched to the dialled one by its port, and the two are joined.
 * 4. Refused: the app's kernel is told so.
 */
import {
  type Clock,
  type Conn,
  type Endpoint,
  IpPacket,
  pipe,
  readUint16,
  type Refusal,
  type Subnet,
} from "../net/mod.ts";
import { TcpConn } from "../tcp/mod.ts";
import type { Counters } from "./counters.ts";
import type { TunSubnet } from "./device.ts";
import { type Dial, settleDial } from "./dial.ts";
import { copyFrame, frameStart, packetStart } from "./frame.ts";
import { Hairpin } from "./hairpin.ts";
import { Listener } from "./listener.ts";
import { NatTable } from "./nat_table.ts";
import type { PacketRecord } from "./packet_ring.ts";
import { refusalAnswers } from "./refusal_answer.ts";
import { icmpErrorFrame, writeResetFrame } from "./reply_frame.ts";

/** Dials at a time; a SYN beyond is dropped, and the app's kernel sends it again. */
const heldLimit = 4096;
/** How long the handshake may take: until the kernel no more repeats its SYN-ACK (tcp_synack_retries, 5). */
const handshakeMs = 65_000;
/** How long a connection that ended before it was accepted may still wait in the listener's queue. */
const straggleMs = 5_000;

/** A flow whose dial is not answered. */
interface HeldFlow {
  slot: number;
  generation: number;
  packet: IpPacket;
  from: Endpoint;
  to: Endpoint;
  abort: AbortController;
}

/** A flow whose connection has not come out of the listener. */
interface OpenedFlow {
  generation: number;
  to: Endpoint;
  /** Absent when the flow has ended meanwhile. */
  service: Conn | undefined;
  giveUpMs: number;
}

/** A flow whose bytes are carried. */
interface JoinedFlow {
  slot: number;
  generation: number;
  to: Endpoint;
  app: Conn;
  service: Conn;
}

export interface TcpFlowsOptions {
  subnet: TunSubnet;
  dial: Dial;
  /** Hands the first octets of a frame to the kernel. */
  write: (frame: Uint8Array<ArrayBuffer>, length: number) => void;
  counters: Counters;
  clock: Clock;
}

export class TcpFlows {
  readonly table: NatTable;
  readonly #options: TcpFlowsOptions;
  readonly #listener: Listener;
  readonly #hairpin: Hairpin;
  readonly #held = new Map<number, HeldFlow>();
  readonly #opened = new Map<number, OpenedFlow>();
  readonly #joined = new Set<JoinedFlow>();
  readonly #tasks = new Set<Promise<void>>();
  #isStopping = false;

  /** @throws {Error} when the laptop's address is not on the device. */
  constructor(options: TcpFlowsOptions) {
    const { laptop, peer } = options.subnet;
    this.#options = options;
    this.table = new NatTable(laptop.family);
    this.#listener = new Listener(laptop, (app) => this.#onAccept(app));
    const { listenerPort } = this;
    this.#hairpin = new Hairpin({
      table: this.table,
      laptop,
      peer,
      listenerPort,
    });
  }

  get listenerPort(): number {
    return this.#listener.port;
  }

  /** Flows whose SYN is held, and flows that carry bytes. */
  get current(): { held: number; open: number } {
    return { held: this.#held.size, open: this.#joined.size };
  }

  /** How many flows that carry bytes go to an address in `subnet`. */
  flowsTo(subnet: Subnet): number {
    let count = 0;
    for (const { to } of this.#joined) if (subnet.contains(to.ip)) count++;
    return count;
  }

  /** Takes a first SYN that the worker holds. */
  onSyn({ slot, generation, bytes }: PacketRecord): void {
    if (this.#held.size >= heldLimit || this.#isStopping) {
      this.#options.counters.add("tcp_overloaded");
      return this.table.refuse(slot, generation);
    }
    const packet = new IpPacket();
    packet.parse(copyFrame(bytes), packetStart, frameStart + bytes.length);
    const port = (at: number) => readUint16(packet.bytes, packet.payload + at);
    const flow = {
      slot,
      generation,
      packet,
      from: { ip: packet.sourceIp, port: port(0) },
      to: { ip: packet.destinationIp, port: port(2) },
      abort: new AbortController(),
    };
    this.#held.set(slot, flow);
    const task = this.#dial(flow).finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }

  /** Gives up what nobody waits for; to be called at each tick of the table. */
  sweep(): void {
    for (const { slot, generation, abort } of this.#held.values()) {
      const { table } = this;
      if (table.isHeld(slot, generation) && !table.isAbandoned(slot)) continue;
      this.#options.counters.add("tcp_abandoned");
      table.refuse(slot, generation);
      abort.abort();
    }
    const nowMs = this.#options.clock.now();
    for (const [slot, flow] of this.#opened) {
      if (nowMs >= flow.giveUpMs) this.#giveUp(slot, flow);
      else if (flow.service && this.table.hasEnded(slot, flow.generation)) {
        flow.service.reset();
        flow.service = undefined;
        flow.giveUpMs = nowMs + straggleMs;
      }
    }
    // A flow whose service takes no more reads nothing from its app, and so does not see the reset itself.
    for (const flow of this.#joined) {
      if (this.table.wasReset(flow.slot, flow.generation)) breakOff(flow);
    }
  }

  /** Breaks all flows off; the packets that tell it to the apps have been sent when it resolves. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const flow of this.#held.values()) flow.abort.abort();
    this.#listener.close();
    for (const [slot, flow] of this.#opened) this.#giveUp(slot, flow);
    for (const flow of this.#joined) breakOff(flow);
    await Promise.all([this.#listener.closed, ...this.#tasks]);
  }

  async #dial(flow: HeldFlow): Promise<void> {
    const { counters, dial, clock } = this.#options;
    const { slot, generation, from, to, abort: { signal } } = flow;
    counters.add("tcp_dialled");
    const result = await settleDial(
      (signal) => dial(to, { from, signal }),
      { signal, undo: (service) => service.reset() },
    );
    if (this.#held.get(slot) === flow) this.#held.delete(slot);
    if ("refusal" in result) return this.#refuse(flow, result.refusal);
    const { opened: service } = result;
    if (!this.table.open(slot, generation)) {
      this.table.refuse(slot, generation);
      return service.reset();
    }
    counters.add("tcp_opened");
    const giveUpMs = clock.now() + handshakeMs;
    this.#opened.set(slot, { generation, to, service, giveUpMs });
    this.#writeSyn(flow);
  }

  #writeSyn({ slot, packet }: HeldFlow): void {
    const { bytes, end } = packet;
    this.#hairpin.forward(packet, new Uint32Array(bytes.buffer), slot);
    this.#write(bytes as Uint8Array<ArrayBuffer>, end - frameStart);
  }

  /** Tells the app's kernel why there is no connection, unless it has lost interest. */
  #refuse({ slot, generation, packet }: HeldFlow, refusal: Refusal): void {
    if (!this.table.isHeld(slot, generation)) return;
    this.table.refuse(slot, generation);
    this.#options.counters.add("tcp_refused");
    const answer = refusalAnswers[refusal];
    if (answer === "silence") return;
    if (answer === "refuse") {
      const bytes = packet.bytes as Uint8Array<ArrayBuffer>;
      return this.#write(bytes, writeResetFrame(bytes, packet));
    }
    const { peer: from } = this.#options.subnet;
    const { buffer, length } = icmpErrorFrame(packet, {
      reason: answer,
      from,
    });
    this.#write(buffer, length);
  }

  #write(buffer: Uint8Array<ArrayBuffer>, length: number): void {
    this.#options.write(buffer.subarray(frameStart), length);
  }

  #onAccept(app: Deno.TcpConn): void {
    const { hostname, port: slot } = app.remoteAddr;
    const conn = new TcpConn(app);
    const isPeer = hostname === this.#options.subnet.peer.toString();
    const flow = isPeer ? this.#opened.get(slot) : undefined;
    if (flow === undefined) {
      this.#options.counters.add("tcp_strangers");
      return conn.reset();
    }
    this.#opened.delete(slot);
    const { service, generation, to } = flow;
    if (service === undefined) {
      conn.reset();
      return this.table.letGo(slot, generation);
    }
    const joined = { slot, generation, to, app: conn, service };
    const task = this.#join(joined).finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }

  async #join(flow: JoinedFlow): Promise<void> {
    this.#joined.add(flow);
    await pipe(flow.app, flow.service);
    this.#joined.delete(flow);
    this.table.letGo(flow.slot, flow.generation);
  }

  #giveUp(slot: number, { generation, service }: OpenedFlow): void {
    this.#opened.delete(slot);
    service?.reset();
    this.table.letGo(slot, generation);
  }
}

function breakOff({ app, service }: JoinedFlow): void {
  app.reset();
  service.reset();
}
