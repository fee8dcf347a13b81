import { dnsHeaderOctets } from "../net/mod.ts";
import {
  flagBits,
  type Question,
  recordTypes,
  setMessageId,
} from "./question.ts";

/** What fits one packet everywhere (DNS Flag Day 2020). */
const udpBytes = 1232;

/** Writes a recursive query with EDNS. */
export function encodeQuery(
  { name, type, class: kind }: Pick<Question, "name" | "type" | "class">,
  { id }: { id: number },
): Uint8Array {
  const encodedName = name.encode();
  const bytes = new Uint8Array(dnsHeaderOctets + encodedName.length + 4 + 11);
  const view = new DataView(bytes.buffer);
  setMessageId(bytes, id);
  view.setUint16(2, flagBits.recursionDesired);
  view.setUint16(4, 1); // questions
  view.setUint16(10, 1); // additional records
  bytes.set(encodedName, dnsHeaderOctets);
  const end = dnsHeaderOctets + encodedName.length;
  view.setUint16(end, type);
  view.setUint16(end + 2, kind);
  // OPT: root as its name, no extended code, version 0, no options (RFC 6891 section 6.1.2).
  view.setUint16(end + 5, recordTypes.opt);
  view.setUint16(end + 7, udpBytes);
  return bytes;
}
