/**
 * The UDP flows of the device, in the main thread: each 5-tuple is one flow of datagrams, dialled at its first datagram
 * and ended by idleness. What does not fit is dropped and counted, as UDP allows.
 */
import {
  type Clock,
  IpPacket,
  readUint16,
  type Refusal,
  type Subnet,
  udpHeaderBytes,
  udpPayloadBytes,
} from "../net/mod.ts";
import type { Counters } from "./counters.ts";
import type { TunSubnet } from "./device.ts";
import type { DialDatagrams } from "./dial.ts";
import {
  copyFrame,
  datagramSegmentBytes,
  frameBufferBytes,
  frameStart,
  packetStart,
} from "./frame.ts";
import type { PacketRecord } from "./packet_ring.ts";
import { Reassembly } from "./reassembly.ts";
import { refusalAnswers } from "./refusal_answer.ts";
import { unreachableFrame } from "./reply_frame.ts";
import { UdpFlow } from "./udp_flow.ts";

/** Flows at a time; one more ends the one that was quiet for longest. */
const flowLimit = 1024;

export interface UdpFlowsOptions {
  /** Subnets of the device, by family. */
  subnets: { v4?: TunSubnet | undefined; v6?: TunSubnet | undefined };
  dialDatagrams: DialDatagrams;
  /** Hands the first octets of a frame to the kernel. */
  write: (frame: Uint8Array<ArrayBuffer>, length: number) => void;
  counters: Counters;
  clock: Clock;
}

export class UdpFlows {
  readonly #options: UdpFlowsOptions;
  /** By source and destination port; seldom more than one of each. */
  readonly #byPorts = new Map<number, UdpFlow[]>();
  readonly #all = new Set<UdpFlow>();
  readonly #reassembly: Reassembly;
  readonly #packet = new IpPacket();
  readonly #frame = new Uint8Array(frameBufferBytes);

  constructor(options: UdpFlowsOptions) {
    this.#options = options;
    this.#reassembly = new Reassembly(options);
  }

  /** How many flows there are. */
  get current(): number {
    return this.#all.size;
  }

  /** How many flows go to an address in `subnet`. */
  flowsTo(subnet: Subnet): number {
    let count = 0;
    for (const { to } of this.#all) if (subnet.contains(to.ip)) count++;
    return count;
  }

  /** Datagrams that came in pieces which do not fit. */
  get notReassembled(): number {
    return this.#reassembly.dropped;
  }

  /** Takes a datagram, a fragment of one, or several that the kernel handed over as one packet. */
  onPacket({ bytes }: PacketRecord): void {
    this.#frame.set(bytes, frameStart);
    const packet = this.#packet;
    packet.parse(this.#frame, packetStart, frameStart + bytes.length);
    if (packet.isFragment) {
      const whole = this.#reassembly.add(packet);
      if (whole && whole.length >= udpHeaderBytes) this.#onDatagram(whole);
      return;
    }
    const payloadBytes = udpPayloadBytes(packet);
    if (payloadBytes < 0) return this.#options.counters.add("udp_dropped");
    const end = packet.payload + udpHeaderBytes + payloadBytes;
    this.#onDatagram(this.#frame.subarray(packet.payload, end));
  }

  /** Ends idle flows. */
  sweep(): void {
    for (const flow of this.#all) if (flow.isIdle) this.#end(flow);
  }

  async stop(): Promise<void> {
    const flows = [...this.#all];
    for (const flow of flows) this.#end(flow);
    await Promise.all(flows.map((flow) => flow.ended));
  }

  /** @param udp Header and payload; its IP header is that of the packet at hand. */
  #onDatagram(udp: Uint8Array): void {
    const payload = udp.subarray(udpHeaderBytes);
    const flow = this.#flowOf(udp);
    if (flow === undefined) return this.#options.counters.add("udp_dropped");
    const segment = datagramSegmentBytes(this.#frame) || payload.length;
    let at = 0;
    do {
      flow.send(payload.subarray(at, at + segment));
      at += segment;
    } while (at < payload.length);
  }

  #flowOf(udp: Uint8Array): UdpFlow | undefined {
    const source = readUint16(udp, 0);
    const destination = readUint16(udp, 2);
    const ports = (source << 16 | destination) >>> 0;
    const siblings = this.#byPorts.get(ports);
    return siblings?.find((flow) => flow.isTo(this.#packet)) ??
      this.#begin(ports);
  }

  #begin(ports: number): UdpFlow | undefined {
    const packet = this.#packet;
    const to = { ip: packet.destinationIp, port: ports & 0xffff };
    const { subnet, peer } = this.#subnet(packet.family);
    const broadcast = subnet.at(
      (1n << BigInt(to.ip.bits - subnet.prefix)) - 1n,
    );
    if (broadcast.equals(to.ip) && to.ip.family === 4) return undefined;
    this.#makeRoom();
    const from = { ip: packet.sourceIp, port: ports >>> 16 };
    const flow = new UdpFlow({ ...this.#options, from, to });
    this.#all.add(flow);
    const siblings = this.#byPorts.get(ports);
    if (siblings) siblings.push(flow);
    else this.#byPorts.set(ports, [flow]);
    // What an error would quote; a fragment has no ports to tell whose it is.
    const quoted = packet.isFragment ? undefined : this.#copy();
    flow.ended.then((refusal) => {
      this.#forget(ports, flow);
      if (refusal && quoted) this.#refuse(quoted, { refusal, peer });
    });
    return flow;
  }

  #refuse(
    packet: IpPacket,
    { refusal, peer }: { refusal: Refusal; peer: TunSubnet["peer"] },
  ): void {
    this.#options.counters.add("udp_refused");
    const answer = refusalAnswers[refusal];
    if (answer === "silence") return;
    // A port that nobody has is told by the host that was asked, everything else by a router on the way.
    const { buffer, length } = unreachableFrame(
      packet,
      answer === "refuse"
        ? { reason: "port", from: packet.destinationIp }
        : { reason: answer, from: peer },
    );
    this.#options.write(buffer.subarray(frameStart), length);
  }

  #copy(): IpPacket {
    const { end } = this.#packet;
    const copy = new IpPacket();
    copy.parse(
      copyFrame(this.#frame.subarray(frameStart, end)),
      packetStart,
      end,
    );
    return copy;
  }

  #makeRoom(): void {
    if (this.#all.size < flowLimit) return;
    let quietest: UdpFlow | undefined;
    for (const flow of this.#all) {
      if (!quietest || flow.lastMs < quietest.lastMs) quietest = flow;
    }
    this.#options.counters.add("udp_evicted");
    this.#end(quietest!);
  }

  #end(flow: UdpFlow): void {
    flow.close();
    this.#forget((flow.from.port << 16 | flow.to.port) >>> 0, flow);
  }

  #forget(ports: number, flow: UdpFlow): void {
    this.#all.delete(flow);
    const rest = this.#byPorts.get(ports)?.filter((one) => one !== flow);
    if (rest?.length) this.#byPorts.set(ports, rest);
    else this.#byPorts.delete(ports);
  }

  /** The worker passes on packets of the device's families only. */
  #subnet(family: 4 | 6): TunSubnet {
    const { v4, v6 } = this.#options.subnets;
    return (family === 4 ? v4 : v6)!;
  }
}
