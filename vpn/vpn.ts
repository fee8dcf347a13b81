/**
 * Packets of the TUN device become streams, and streams packets.
 *
 * 1. A worker reads the device and rewrites what belongs to open flows by itself (`packet_switch.ts`).
 * 2. What begins a TCP flow, all UDP and ICMP echo come to this thread through a ring in shared memory.
 * 3. TCP (`tcp_flows.ts`), UDP and echo (`datagram_flows.ts`) are dialled through the capabilities that are given.
 */
import {
  type Clock,
  type Datagrams,
  type Endpoint,
  type Ip,
  Rate,
  type Subnet,
  systemClock,
} from "../net/mod.ts";
import { Counters } from "./counters.ts";
import { DatagramFlows, type FlowEnds } from "./datagram_flows.ts";
import { echoShape, udpShape } from "./datagram_shape.ts";
import type { DeviceInfo, TunSubnet } from "./device.ts";
import type { DeviceIo } from "./device_io.ts";
import type { Dial, DialDatagrams, DialEchoes } from "./dial.ts";
import { frameStart, packetStart } from "./frame.ts";
import { tickMs } from "./nat_table.ts";
import { openDeviceIo } from "./os.ts";
import { type PacketRecord, PacketRing, recordKinds } from "./packet_ring.ts";
import { startWorker } from "./start_worker.ts";
import { TcpFlows } from "./tcp_flows.ts";
import type { WorkerEnd, WorkerFamily, WorkerStart } from "./worker_start.ts";

export interface VpnOptions {
  /** Its descriptor is the VPN's from now on, and closed when it stops. */
  device: DeviceInfo;
  dial: Dial;
  dialDatagrams: DialDatagrams;
  dialEchoes: DialEchoes;
  clock?: Clock;
}

/** Counters by name since the start; `*_now` are flows at the moment. */
export type VpnStats = Record<string, number>;

/** Packets that are dealt with before other work of this thread gets its turn. */
const turnPackets = 256;

/** Of echo requests; more are dropped. As much as `ping -f` of a few people. */
const echoRate = { perSecond: 100, burst: 100 };

/**
 * Begins to serve the device.
 *
 * @throws {Error} when the device does not have its addresses, or the kernel no descriptor left.
 */
export function startVpn(options: VpnOptions): Promise<Vpn> {
  return Promise.resolve().then(() => new Vpn(options));
}

export class Vpn {
  readonly #device: DeviceInfo;
  readonly #io: DeviceIo;
  readonly #ring = new PacketRing();
  readonly #counters = new Counters();
  readonly #tcp: { v4?: TcpFlows; v6?: TcpFlows } = {};
  readonly #udp: DatagramFlows;
  readonly #echoes: DatagramFlows;
  readonly #worker: Worker;
  readonly #clock: Clock;
  readonly #reading: Promise<void>;
  #cancelTick: () => void = () => {};
  #isStopping = false;
  #stopped: Promise<void> | undefined;
  /** Resolves when the device is read no more: `"gone"` when it was removed, `"woken"` when the VPN was stopped. */
  readonly ended: Promise<WorkerEnd>;

  constructor(
    { device, dial, dialDatagrams, dialEchoes, clock }: VpnOptions,
  ) {
    this.#device = device;
    this.#clock = clock ?? systemClock;
    this.#io = openDeviceIo(device.fd);
    const parts = {
      dial,
      dialDatagrams,
      write: this.#write.bind(this),
      counters: this.#counters,
      clock: this.#clock,
    };
    const { v4, v6 } = device;
    try {
      if (v4) this.#tcp.v4 = new TcpFlows({ ...parts, subnet: v4 });
      if (v6) this.#tcp.v6 = new TcpFlows({ ...parts, subnet: v6 });
    } catch (error) {
      this.#tcp.v4?.stop();
      this.#closeDevice();
      throw error;
    }
    const subnets = { v4, v6 };
    this.#udp = new DatagramFlows({ ...parts, shape: udpShape, subnets });
    this.#echoes = new DatagramFlows({
      ...{ ...parts, shape: echoShape, subnets },
      dialDatagrams: ({ ip }, options) => dialEchoes(ip, options),
      rate: new Rate({ clock: this.#clock, ...echoRate }),
    });
    const ended = Promise.withResolvers<WorkerEnd>();
    this.ended = ended.promise;
    this.#worker = startWorker();
    this.#worker.onmessage = ({ data }) => ended.resolve(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      ended.resolve("gone");
    };
    this.#worker.postMessage(this.#workerStart());
    this.#reading = this.#readRing();
    this.#tick();
  }

  stats(): VpnStats {
    const flows = this.#allTcp.map((flows) => flows.current);
    return {
      ...this.#counters.read(),
      udp_not_reassembled: this.#udp.notReassembled,
      tcp_held_now: flows.reduce((sum, { held }) => sum + held, 0),
      tcp_open_now: flows.reduce((sum, { open }) => sum + open, 0),
      udp_open_now: this.#udp.current,
      echo_not_reassembled: this.#echoes.notReassembled,
      echo_open_now: this.#echoes.current,
    };
  }

  /** How many flows, of TCP, UDP and echo, are open to an address in `subnet`. */
  flowsTo(subnet: Subnet): number {
    return [...this.#allTcp, this.#udp, this.#echoes]
      .reduce((sum, flows) => sum + flows.flowsTo(subnet), 0);
  }

  /** Whether an app has sent UDP from there to an address that is meant. */
  hasDatagrams(app: Endpoint, isMeant: (to: Ip) => boolean): boolean {
    return this.#udp.hasFlow(app, isMeant);
  }

  /** As {@link DatagramFlows.take}, of UDP. */
  takeDatagrams(ends: FlowEnds, accept: () => Datagrams): void {
    this.#udp.take(ends, accept);
  }

  /** Breaks all flows off, so that their apps know, and closes the device's descriptor. */
  stop(): Promise<void> {
    return this.#stopped ??= this.#stop();
  }

  async #stop(): Promise<void> {
    this.#isStopping = true;
    this.#cancelTick();
    // What is awaited below does not keep the event loop running by itself.
    const running = setInterval(() => {}, 60_000);
    await Promise.all([
      ...this.#allTcp.map((flows) => flows.stop()),
      this.#udp.stop(),
      this.#echoes.stop(),
    ]);
    this.#io.wake();
    await this.ended;
    this.#worker.terminate();
    this.#ring.wake();
    await this.#reading;
    clearInterval(running);
    this.#closeDevice();
  }

  get #allTcp(): TcpFlows[] {
    const { v4, v6 } = this.#tcp;
    return [v4, v6].filter((flows) => flows !== undefined);
  }

  #workerStart(): WorkerStart {
    const family = (
      subnet: TunSubnet,
      { listenerPort, table }: TcpFlows,
    ): WorkerFamily => ({
      laptop: subnet.laptop.bytes,
      peer: subnet.peer.bytes,
      listenerPort,
      table: table.memory,
    });
    const { fd, v4, v6 } = this.#device;
    const tcp = this.#tcp;
    return {
      fd,
      wakeFd: this.#io.wakeFd,
      ...v4 && tcp.v4 ? { v4: family(v4, tcp.v4) } : {},
      ...v6 && tcp.v6 ? { v6: family(v6, tcp.v6) } : {},
      ring: this.#ring.memory,
      counters: this.#counters.memory,
    };
  }

  async #readRing(): Promise<void> {
    while (!this.#isStopping) {
      let dealtWith = 0;
      while (dealtWith < turnPackets) {
        const record = this.#ring.read();
        if (record === undefined) break;
        this.#onRecord(record);
        this.#ring.release(record);
        dealtWith++;
      }
      if (dealtWith < turnPackets) await this.#ring.wait();
      else await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  #onRecord(record: PacketRecord): void {
    if (record.kind === recordKinds.datagram) return this.#udp.onPacket(record);
    if (record.kind === recordKinds.echo) return this.#echoes.onPacket(record);
    // A packet tells its family in its first four bits.
    const version = record.bytes[packetStart - frameStart]! >> 4;
    (version === 4 ? this.#tcp.v4 : this.#tcp.v6)?.onSyn(record);
  }

  #write(frame: Uint8Array<ArrayBuffer>, length: number): void {
    if (!this.#io.write(frame, length)) {
      this.#counters.add("dropped_by_kernel");
    }
  }

  #tick(): void {
    this.#cancelTick = this.#clock.after(tickMs, () => this.#tick());
    for (const flows of this.#allTcp) {
      flows.table.passTick();
      flows.sweep();
    }
    this.#udp.sweep();
    this.#echoes.sweep();
  }

  #closeDevice(): void {
    this.#io.closeDescriptors();
    this.#io[Symbol.dispose]();
  }
}
