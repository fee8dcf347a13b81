import { dnsHeaderOctets } from "../net/mod.ts";
import { Fqdn } from "./name.ts";

/** Numbers of record types that decisions depend on (IANA DNS Parameters). */
export const recordTypes = {
  a: 1,
  ns: 2,
  cname: 5,
  soa: 6,
  ptr: 12,
  mx: 15,
  txt: 16,
  aaaa: 28,
  srv: 33,
  opt: 41,
  ds: 43,
  dnskey: 48,
} as const;

/** The one class that people use (RFC 1035 section 3.2.4). */
export const internetClass = 1;

/** Numbers of response codes that are made here (RFC 1035 section 4.1.1). */
export const responseCodes = {
  ok: 0,
  formatError: 1,
  serverFailure: 2,
  noSuchName: 3,
  refused: 5,
} as const;

/** Bits of the second 16-bit word of a message. */
export const flagBits = {
  response: 0x8000,
  opcode: 0x7800,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  checkingDisabled: 0x0010,
  responseCode: 0x000f,
} as const;

/** What a query asks: all that is read of a query before it is known who answers it. */
export interface Question {
  readonly name: Fqdn;
  readonly type: number;
  readonly class: number;
  /** Offset of what follows the question in its message. */
  readonly end: number;
}

/** A question by itself, whatever message it comes in. */
export type Asking = Pick<Question, "name" | "type" | "class">;

export function messageId(message: Uint8Array): number {
  return message[0]! << 8 | message[1]!;
}

export function setMessageId(message: Uint8Array, id: number): void {
  message[0] = id >> 8;
  message[1] = id & 0xff;
}

export function messageFlags(message: Uint8Array): number {
  return message[2]! << 8 | message[3]!;
}

/** True when `message` has a header and is not a response: somebody may wait for an answer to it. */
export function isQuery(message: Uint8Array): boolean {
  return message.length >= dnsHeaderOctets &&
    (messageFlags(message) & flagBits.response) === 0;
}

/**
 * Reads the question of a message.
 *
 * @returns `undefined` when it is not a standard query or its answer, or does not hold exactly one question.
 */
export function decodeQuestion(message: Uint8Array): Question | undefined {
  if (
    message.length < dnsHeaderOctets ||
    (messageFlags(message) & flagBits.opcode) !== 0 ||
    message[4] !== 0 || message[5] !== 1
  ) return undefined;
  const read = Fqdn.decode(message, dnsHeaderOctets);
  if (read === undefined || read.end + 4 > message.length) return undefined;
  const { name, end } = read;
  return {
    name,
    type: message[end]! << 8 | message[end + 1]!,
    class: message[end + 2]! << 8 | message[end + 3]!,
    end: end + 4,
  };
}
