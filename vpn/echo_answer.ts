import {
  echoHeaderBytes,
  echoIdentifierAt,
  echoTypes,
  type Endpoint,
  type Ip,
  ipHeaderBytes,
  isEchoInFlow,
  protocols,
  pseudoHeaderSum,
  sumOf,
  writeIpHeader,
  writeUint16,
} from "../net/mod.ts";
import { answerBuffer } from "./answer_buffer.ts";
import type { DatagramAnswer } from "./datagram_shape.ts";
import { clearVnet, frameStart, packetStart } from "./frame.ts";

const largestBytes = { 4: 0xffff - 20, 6: 0xffff } as const;

/** The echo replies to one app. */
export class EchoAnswer implements DatagramAnswer {
  readonly #from: Ip;
  readonly #to: Endpoint;
  readonly #begin: number;

  /** @param options.from The service. @param options.to The app; its port is the identifier of its requests. */
  constructor({ from, to }: { from: Endpoint; to: Endpoint }) {
    this.#from = from.ip;
    this.#to = to;
    this.#begin = packetStart + ipHeaderBytes(to.ip.family);
  }

  frame(
    payload: Uint8Array,
  ): [Uint8Array<ArrayBuffer>, number] | undefined {
    const { ip, port } = this.#to;
    const room = largestBytes[ip.family] - echoIdentifierAt;
    const taken = payload.subarray(0, room);
    if (!isEchoInFlow(taken, "reply")) return undefined;
    const header = {
      source: this.#from.bytes,
      destination: ip.bytes,
      protocol: ip.family === 4 ? protocols.icmp : protocols.icmpV6,
      payloadBytes: echoIdentifierAt + taken.length,
    };
    const buffer = answerBuffer;
    const begin = this.#begin;
    buffer.set(taken, begin + echoIdentifierAt);
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
}
