import {
  echoHeaderBytes,
  echoIdentifierAt,
  echoTypes,
  type Ip,
  ipHeaderBytes,
  isEchoInFlow,
  protocols,
  pseudoHeaderSum,
  sumOf,
  writeIpHeader,
  writeUint16,
} from "../net/mod.ts";
import { giveAnswerBuffer, takeAnswerBuffer } from "./answer_buffer.ts";
import type { DatagramAnswer } from "./datagram_shape.ts";
import type { Endpoint } from "./dial.ts";
import { clearVnet, frameStart, packetStart } from "./frame.ts";

const largestBytes = { 4: 0xffff - 20, 6: 0xffff } as const;

/** The echo replies to one app. What crosses the flow is received in place, behind room for its headers. */
export class EchoAnswer implements DatagramAnswer {
  readonly #from: Ip;
  readonly #to: Endpoint;
  readonly #buffer = takeAnswerBuffer();
  readonly payload: Uint8Array<ArrayBuffer>;
  readonly #begin: number;

  /** @param options.from The service. @param options.to The app; its port is the identifier of its requests. */
  constructor({ from, to }: { from: Endpoint; to: Endpoint }) {
    this.#from = from.ip;
    this.#to = to;
    this.#begin = packetStart + ipHeaderBytes(to.ip.family);
    this.payload = this.#buffer.subarray(
      this.#begin + echoIdentifierAt,
      this.#begin + largestBytes[to.ip.family],
    );
  }

  frame(
    payloadBytes: number,
  ): [Uint8Array<ArrayBuffer>, number] | undefined {
    if (!isEchoInFlow(this.payload.subarray(0, payloadBytes), "reply")) {
      return undefined;
    }
    const { ip, port } = this.#to;
    const header = {
      source: this.#from.bytes,
      destination: ip.bytes,
      protocol: ip.family === 4 ? protocols.icmp : protocols.icmpV6,
      payloadBytes: echoIdentifierAt + payloadBytes,
    };
    const buffer = this.#buffer;
    const begin = this.#begin;
    clearVnet(buffer);
    writeIpHeader(buffer, packetStart, header);
    buffer.fill(0, begin, begin + echoHeaderBytes - 2);
    buffer[begin] = echoTypes[ip.family].reply;
    writeUint16(buffer, begin + echoIdentifierAt, port);
    // Whole, not left to the kernel: programs with raw sockets read it before that.
    const end = begin + header.payloadBytes;
    const initial = ip.family === 4 ? 0 : pseudoHeaderSum(header);
    const sum = sumOf(buffer, { start: begin, end, initial });
    writeUint16(buffer, begin + 2, ~sum & 0xffff);
    return [buffer.subarray(frameStart), end - frameStart];
  }

  [Symbol.dispose](): void {
    giveAnswerBuffer(this.#buffer);
  }
}
