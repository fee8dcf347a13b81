/**
 * Flows of datagrams of the device, in the main thread, of UDP or of ICMP echo: each 5-tuple is one flow, dialled at its
 * first datagram, or begun by the service, and ended by idleness. What does not fit is dropped and counted, as the network
 * allows.
 */
import {
  type Clock,
  type Datagrams,
  type Endpoint,
  type Ip,
  IpPacket,
  type Rate,
  type Refusal,
  RefusedError,
  type Subnet,
} from "../net/mod.ts";
import type { Counters } from "./counters.ts";
import type { TunSubnet } from "./device.ts";
import { DatagramFlow } from "./datagram_flow.ts";
import type { DatagramShape } from "./datagram_shape.ts";
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
import { icmpErrorFrame } from "./reply_frame.ts";

export interface DatagramFlowsOptions {
  /** Subnets of the device, by family. */
  subnets: { v4?: TunSubnet | undefined; v6?: TunSubnet | undefined };
  shape: DatagramShape;
  /** How often apps may send, all together; without, as often as they like. */
  rate?: Rate;
  dialDatagrams: DialDatagrams;
  /** Hands the first octets of a frame to the kernel. */
  write: (frame: Uint8Array<ArrayBuffer>, length: number) => void;
  counters: Counters;
  clock: Clock;
}

/** The two ends of a flow. */
export interface FlowEnds {
  readonly app: Endpoint;
  readonly service: Endpoint;
}

export class DatagramFlows {
  readonly #options: DatagramFlowsOptions;
  /** By source and destination port; seldom more than one of each. */
  readonly #byPorts = new Map<number, DatagramFlow[]>();
  readonly #all = new Set<DatagramFlow>();
  readonly #reassembly: Reassembly;
  readonly #packet = new IpPacket();
  readonly #frame = new Uint8Array(frameBufferBytes);
  #isStopping = false;

  constructor(options: DatagramFlowsOptions) {
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
    const { shape } = this.#options;
    this.#frame.set(bytes, frameStart);
    const packet = this.#packet;
    packet.parse(this.#frame, packetStart, frameStart + bytes.length);
    if (packet.isFragment) {
      const whole = this.#reassembly.add(packet);
      if (whole && shape.isMessage(whole, packet.family)) {
        this.#onDatagram(whole);
      }
      return;
    }
    const message = shape.messageIn(packet);
    if (message === undefined) return this.#drop();
    this.#onDatagram(message);
  }

  /** Whether an app has sent from there to an address that is meant. */
  hasFlow(app: Endpoint, isMeant: (to: Ip) => boolean): boolean {
    return this.#all.values()
      .some(({ from, to }) => isSame(from, app) && isMeant(to.ip));
  }

  /**
   * Takes a flow that a service begins. No other flow ends for want of room.
   *
   * @throws {RefusedError} "overloaded" without room, "failed" when there is such a flow. `accept` is not called then.
   */
  take({ app, service }: FlowEnds, accept: () => Datagrams): void {
    const { shape } = this.#options;
    if (this.#all.size >= shape.flowLimit / 2) {
      throw new RefusedError("overloaded", "No room for flows of services");
    }
    if (
      this.#all.values()
        .some(({ from, to }) => isSame(from, app) && isSame(to, service))
    ) throw new RefusedError("failed", "There is such a flow");
    this.#add(
      new DatagramFlow({
        ...{ ...this.#options, from: app, to: service },
        dialDatagrams: () => Promise.resolve(accept()),
      }),
    );
  }

  /** Ends idle flows. */
  sweep(): void {
    for (const flow of this.#all) if (flow.isIdle) this.#end(flow);
  }

  /** Apps are told, those too that have had their answer. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const flows = [...this.#all];
    for (const flow of flows) this.#end(flow);
    await Promise.all(flows.map((flow) => flow.ended));
  }

  /** @param message Header and payload; its IP header is that of the packet at hand. */
  #onDatagram(message: Uint8Array): void {
    const { shape, rate } = this.#options;
    if (rate?.take() === false) return this.#drop();
    const flow = this.#flowOf(shape.portsOf(message));
    if (flow === undefined) return this.#drop();
    const payload = shape.payloadOf(message);
    const segment = datagramSegmentBytes(this.#frame) || payload.length;
    let at = 0;
    do {
      flow.send(payload.subarray(at, at + segment));
      at += segment;
    } while (at < payload.length);
  }

  #flowOf(ports: number): DatagramFlow | undefined {
    const siblings = this.#byPorts.get(ports);
    return siblings?.find((flow) => flow.isTo(this.#packet)) ??
      this.#begin(ports);
  }

  #begin(ports: number): DatagramFlow | undefined {
    const packet = this.#packet;
    const to = { ip: packet.destinationIp, port: ports & 0xffff };
    const { subnet, peer } = this.#subnet(packet.family);
    const broadcast = subnet.at(
      (1n << BigInt(to.ip.bits - subnet.prefix)) - 1n,
    );
    if (broadcast.equals(to.ip) && to.ip.family === 4) return undefined;
    this.#makeRoom();
    const from = { ip: packet.sourceIp, port: ports >>> 16 };
    const flow = new DatagramFlow({ ...this.#options, from, to });
    // What an error would quote; a fragment has no ports to tell whose it is.
    const quoted = packet.isFragment ? undefined : this.#copy();
    this.#add(flow, (refusal) => {
      const { shape: { unsupported }, counters } = this.#options;
      if (refusal === "unknown-target" && unsupported) {
        counters.add(unsupported);
      }
      if (quoted) this.#refuse(quoted, { refusal, peer });
    });
    return flow;
  }

  /** @param onRefused Called when the flow was refused, or ends with the device. */
  #add(flow: DatagramFlow, onRefused?: (refusal: Refusal) => void): void {
    const ports = portsOf(flow);
    this.#all.add(flow);
    const siblings = this.#byPorts.get(ports);
    if (siblings) siblings.push(flow);
    else this.#byPorts.set(ports, [flow]);
    flow.ended.then((ended) => {
      this.#forget(flow);
      const { shape: { end } } = this.#options;
      const refusal = ended ?? (this.#isStopping ? end : undefined);
      if (refusal) onRefused?.(refusal);
    });
  }

  #drop(): void {
    const { shape, counters } = this.#options;
    counters.add(`${shape.kind}_dropped`);
  }

  #refuse(
    packet: IpPacket,
    { refusal, peer }: { refusal: Refusal; peer: TunSubnet["peer"] },
  ): void {
    const { shape, counters } = this.#options;
    counters.add(`${shape.kind}_refused`);
    const answer = shape.answerTo(refusal);
    if (answer === "silence") return;
    // A port that nobody has is told by the host that was asked, everything else by a router on the way.
    const { buffer, length } = icmpErrorFrame(
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
    const { shape, counters } = this.#options;
    if (this.#all.size < shape.flowLimit) return;
    let quietest: DatagramFlow | undefined;
    for (const flow of this.#all) {
      if (!quietest || flow.lastMs < quietest.lastMs) quietest = flow;
    }
    counters.add(`${shape.kind}_evicted`);
    this.#end(quietest!);
  }

  #end(flow: DatagramFlow): void {
    flow.close();
    this.#forget(flow);
  }

  #forget(flow: DatagramFlow): void {
    const ports = portsOf(flow);
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

/** As {@link DatagramShape.portsOf} tells them. */
function portsOf({ from, to }: DatagramFlow): number {
  return (from.port << 16 | to.port) >>> 0;
}

function isSame(one: Endpoint, other: Endpoint): boolean {
  return one.port === other.port && one.ip.equals(other.ip);
}
