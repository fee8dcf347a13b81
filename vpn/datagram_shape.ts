/** In what the protocols differ whose packets are flows of datagrams. Pure. */
import {
  echoIdentifierAt,
  echoInFlow,
  type Endpoint,
  type IpPacket,
  isEcho,
  readUint16,
  type Refusal,
  udpHeaderBytes,
  udpPayloadBytes,
} from "../net/mod.ts";
import type { CounterName } from "./counters.ts";
import { EchoAnswer } from "./echo_answer.ts";
import { type RefusalAnswer, refusalAnswers } from "./refusal_answer.ts";
import { UdpAnswer } from "./udp_answer.ts";

/** The packets that answer one flow. */
export interface DatagramAnswer {
  /**
   * The frame for what came (cut to what fits a packet), and its length; `undefined` when it is no answer. It is to be
   * written before the next one is asked for, of whichever flow.
   */
  frame(payload: Uint8Array): [Uint8Array<ArrayBuffer>, number] | undefined;
}

export interface DatagramShape {
  /** As counters begin. */
  readonly kind: "udp" | "echo";
  /** Counts flows that the other end knows no way to dial. */
  readonly unsupported?: CounterName;
  /** What apps are told of flows that end with the device; absent: nothing. */
  readonly end?: Refusal;
  /** Flows at a time; one more ends the one that was quiet for longest. */
  readonly flowLimit: number;
  /** The message, header included, in an unfragmented packet; `undefined` when its lengths contradict each other. */
  messageIn(packet: IpPacket): Uint8Array | undefined;
  /** Whether a message that was put together is one. */
  isMessage(message: Uint8Array, family: 4 | 6): boolean;
  /** The app's port and the service's in one number: what tells flows between two addresses apart. */
  portsOf(message: Uint8Array): number;
  /** What crosses the flow. The message is not read after that. */
  payloadOf(message: Uint8Array): Uint8Array;
  /** `from` is the service, `to` the app. */
  openAnswer(ends: { from: Endpoint; to: Endpoint }): DatagramAnswer;
  answerTo(refusal: Refusal): RefusalAnswer;
}

export const udpShape: DatagramShape = {
  kind: "udp",
  // Who waits for an answer, as resolvers do, need not wait until the time is up.
  end: "refused",
  flowLimit: 1024,
  messageIn(packet) {
    const payloadBytes = udpPayloadBytes(packet);
    if (payloadBytes < 0) return undefined;
    const { payload: start } = packet;
    const end = start + udpHeaderBytes + payloadBytes;
    return packet.bytes.subarray(start, end);
  },
  isMessage: (message) => message.length >= udpHeaderBytes,
  portsOf: (message) =>
    (readUint16(message, 0) << 16 | readUint16(message, 2)) >>> 0,
  payloadOf: (message) => message.subarray(udpHeaderBytes),
  openAnswer: (ends) => new UdpAnswer(ends),
  answerTo: (refusal) => refusalAnswers[refusal],
};

/** Requests of one identifier to one address are a flow; the identifier stands for the app's port. */
export const echoShape: DatagramShape = {
  kind: "echo",
  unsupported: "echo_unsupported",
  flowLimit: 64,
  messageIn: ({ bytes, payload, end }) => bytes.subarray(payload, end),
  isMessage: (message, family) => isEcho(message, { family, kind: "request" }),
  portsOf: (message) => readUint16(message, echoIdentifierAt) * 0x10000,
  payloadOf: (message) => echoInFlow(message, "request"),
  openAnswer: (ends) => new EchoAnswer(ends),
  // Who cannot ask knows nothing of the address.
  answerTo: (refusal) =>
    refusal === "unknown-target" ? "silence" : refusalAnswers[refusal],
};
