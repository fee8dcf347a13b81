/**
 * ICMP echo (RFC 792, RFC 4443 section 4): type, code, checksum, identifier, sequence number, data.
 *
 * What crosses a flow of echoes, {@link echoInFlow}, begins behind the checksum, in the form of both families: type and code
 * of ICMPv4 stand in the place of the identifier, which each end has of its own; sequence number and data follow.
 */
import { writeUint16 } from "./checksum.ts";

export const echoHeaderBytes = 8;
export const echoIdentifierAt = 4;
export const echoSequenceAt = 6;

/** Types of the two families. */
export const echoTypes = {
  4: { request: 8, reply: 0 },
  6: { request: 128, reply: 129 },
} as const;

export type EchoKind = "request" | "reply";

/** True for a whole message of this kind, by its header. */
export function isEcho(
  message: Uint8Array,
  { family, kind }: { family: 4 | 6; kind: EchoKind },
): boolean {
  return message.length >= echoHeaderBytes &&
    message[0] === echoTypes[family][kind] && message[1] === 0;
}

/** A message as it crosses a flow. It loses its identifier: the memory is the same. */
export function echoInFlow(message: Uint8Array, kind: EchoKind): Uint8Array {
  writeUint16(message, echoIdentifierAt, echoTypes[4][kind] << 8);
  return message.subarray(echoIdentifierAt);
}

/** True for a message of this kind as it crosses a flow. */
export function isEchoInFlow(bytes: Uint8Array, kind: EchoKind): boolean {
  return bytes.length >= echoHeaderBytes - echoIdentifierAt &&
    bytes[0] === echoTypes[4][kind] && bytes[1] === 0;
}
