import {
  type Ip,
  ipHeaderBytes,
  protocols,
  pseudoHeaderSum,
  udpChecksumAt,
  udpHeaderBytes,
  writeIpHeader,
  writeUint16,
} from "../net/mod.ts";
import { giveAnswerBuffer, takeAnswerBuffer } from "./answer_buffer.ts";
import type { DatagramAnswer } from "./datagram_shape.ts";
import type { Endpoint } from "./dial.ts";
import { askForChecksum, frameStart, packetStart } from "./frame.ts";

/** What fits the 16-bit length of an IPv4 packet, and of the payload of an IPv6 packet. */
const largestUdpBytes = { 4: 0xffff - 20, 6: 0xffff } as const;

/**
 * The packets that answer one flow. A payload is received in place, behind room for its headers. An answer longer than
 * the device's MTU needs no fragments: the kernel takes a packet of any size from the device.
 */
export class UdpAnswer implements DatagramAnswer {
  readonly #from: Endpoint;
  readonly #to: Endpoint;
  readonly #buffer = takeAnswerBuffer();
  readonly #frame: Uint8Array<ArrayBuffer>;
  readonly #family: Ip["family"];
  /** Where the next payload goes. */
  readonly payload: Uint8Array<ArrayBuffer>;
  #identification = 0;

  /** @param options.from The service. @param options.to The app. */
  constructor({ from, to }: { from: Endpoint; to: Endpoint }) {
    this.#from = from;
    this.#to = to;
    this.#family = from.ip.family;
    const udpAt = packetStart + ipHeaderBytes(this.#family);
    this.#frame = this.#buffer.subarray(frameStart);
    this.payload = this.#buffer.subarray(
      udpAt + udpHeaderBytes,
      udpAt + largestUdpBytes[this.#family],
    );
  }

  /** The frame for the first `payloadBytes` octets of {@link payload}, and its length. */
  frame(payloadBytes: number): [Uint8Array<ArrayBuffer>, number] {
    const buffer = this.#buffer;
    const start = ipHeaderBytes(this.#family);
    const udpAt = packetStart + start;
    const udpBytes = udpHeaderBytes + payloadBytes;
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
    return [this.#frame, udpAt + udpBytes - frameStart];
  }

  /** Gives the buffer back. */
  [Symbol.dispose](): void {
    giveAnswerBuffer(this.#buffer);
  }
}
