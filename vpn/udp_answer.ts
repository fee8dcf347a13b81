import {
  type Endpoint,
  type Ip,
  ipHeaderBytes,
  protocols,
  pseudoHeaderSum,
  udpChecksumAt,
  udpHeaderBytes,
  writeIpHeader,
  writeUint16,
} from "../net/mod.ts";
import { answerBuffer } from "./answer_buffer.ts";
import type { DatagramAnswer } from "./datagram_shape.ts";
import { askForChecksum, frameStart, packetStart } from "./frame.ts";

/** What fits the 16-bit length of an IPv4 packet, and of the payload of an IPv6 packet. */
const largestUdpBytes = { 4: 0xffff - 20, 6: 0xffff } as const;

/**
 * The packets that answer one flow. An answer longer than the device's MTU needs no fragments: the kernel takes a packet
 * of any size from the device.
 */
export class UdpAnswer implements DatagramAnswer {
  readonly #from: Endpoint;
  readonly #to: Endpoint;
  readonly #family: Ip["family"];
  #identification = 0;

  /** @param options.from The service. @param options.to The app. */
  constructor({ from, to }: { from: Endpoint; to: Endpoint }) {
    this.#from = from;
    this.#to = to;
    this.#family = from.ip.family;
  }

  frame(payload: Uint8Array): [Uint8Array<ArrayBuffer>, number] {
    const buffer = answerBuffer;
    const start = ipHeaderBytes(this.#family);
    const udpAt = packetStart + start;
    const room = largestUdpBytes[this.#family] - udpHeaderBytes;
    const taken = payload.subarray(0, room);
    const udpBytes = udpHeaderBytes + taken.length;
    buffer.set(taken, udpAt + udpHeaderBytes);
    this.#identification = this.#identification + 1 & 0xffff;
    const header = {
      source: this.#from.ip.bytes,
      destination: this.#to.ip.bytes,
      protocol: protocols.udp,
      payloadBytes: udpBytes,
      identification: this.#identification,
    };
    writeIpHeader(buffer, packetStart, header);
    writeUint16(buffer, udpAt, this.#from.port);
    writeUint16(buffer, udpAt + 2, this.#to.port);
    writeUint16(buffer, udpAt + 4, udpBytes);
    writeUint16(buffer, udpAt + udpChecksumAt, pseudoHeaderSum(header));
    askForChecksum(buffer, { start, offset: udpChecksumAt });
    return [buffer.subarray(frameStart), udpAt + udpBytes - frameStart];
  }
}
