/** Flows of datagrams whose services are a test. */
import { FakeClock } from "../net/clock_fake.ts";
import {
  type Datagrams,
  type Endpoint,
  type Rate,
  type Refusal,
  RefusedError,
  Subnet,
} from "../net/mod.ts";
import { packetOf } from "../net/packet/packet_fake.ts";
import { Counters } from "./counters.ts";
import { type DatagramShape, udpShape } from "./datagram_shape.ts";
import type { DialDatagrams } from "./dial.ts";
import { recordKinds } from "./packet_ring.ts";
import { DatagramFlows } from "./datagram_flows.ts";

export const laptop = "198.18.0.1";
export const peer = "198.18.0.2";
export const service = "10.96.0.1";

/** A dialled flow of datagrams whose other end is the test. */
export class FakeDatagrams implements Datagrams {
  readonly sent: string[] = [];
  isClosed = false;
  #refusal: RefusedError | undefined;
  readonly #waiting: ((bytes: Uint8Array | null) => void)[] = [];
  readonly #answers: (Uint8Array | null)[] = [];

  send(bytes: Uint8Array): boolean {
    this.sent.push(new TextDecoder().decode(bytes));
    return true;
  }

  answer(bytes: Uint8Array | null): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(bytes);
    else this.#answers.push(bytes);
  }

  async receive(into: Uint8Array): Promise<number | null> {
    const bytes = this.#answers.shift() ??
      await new Promise<Uint8Array | null>((resolve) =>
        this.#waiting.push(resolve)
      );
    if (this.#refusal) throw this.#refusal;
    if (bytes === null) return null;
    into.set(bytes.subarray(0, into.length));
    return Math.min(bytes.length, into.length);
  }

  /** As its peer's host would. */
  refuse(refusal: Refusal): void {
    this.#refusal = new RefusedError(refusal, "no");
    this.answer(null);
  }

  close(): void {
    this.isClosed = true;
    this.answer(null);
  }
}

export class World implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly counters = new Counters();
  readonly written: Uint8Array[] = [];
  readonly dialled: (FakeDatagrams & { to: Endpoint })[] = [];
  readonly flows: DatagramFlows;

  constructor(
    dialDatagrams?: DialDatagrams,
    { shape = udpShape, rate }: { shape?: DatagramShape; rate?: Rate } = {},
  ) {
    const tun = (subnet: string) => ({
      subnet: Subnet.parse(subnet),
      laptop: Subnet.parse(subnet).at(1),
      peer: Subnet.parse(subnet).at(2),
    });
    this.flows = new DatagramFlows({
      shape,
      ...rate ? { rate } : {},
      subnets: { v4: tun("198.18.0.0/29"), v6: tun("fd74::/64") },
      dialDatagrams: dialDatagrams ?? ((to) => {
        const datagrams = Object.assign(new FakeDatagrams(), { to });
        this.dialled.push(datagrams);
        return Promise.resolve(datagrams);
      }),
      write: (frame, length) => this.written.push(frame.slice(10, length)),
      counters: this.counters,
      clock: this.clock,
    });
  }

  /** Does what the worker does with a packet. */
  packet(packet: Uint8Array, vnet: number[] = []): void {
    const bytes = new Uint8Array(10 + packet.length);
    bytes.set(vnet);
    bytes.set(packet, 10);
    const kind = recordKinds.datagram;
    this.flows.onPacket({ kind, slot: 0, generation: 0, bytes });
  }

  send(text: string, options: { port?: number; to?: string } = {}): void {
    this.packet(datagram(text, options));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flows.stop();
  }
}

/** An app's datagram from port 1000. */
export function datagram(
  text: string,
  { port = 7, to = service }: { port?: number; to?: string } = {},
): Uint8Array {
  const data = new TextEncoder().encode(text);
  const ports = [1000 >> 8, 1000 & 255, port >> 8, port & 255];
  const length = 8 + data.length;
  return packetOf({
    from: to.includes(":") ? "fd74::1" : laptop,
    to,
    protocol: 17,
    transport: [...ports, length >> 8, length & 255, 0, 0, ...data],
    checksumAt: 6,
  });
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
