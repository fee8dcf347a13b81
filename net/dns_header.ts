/** What is read of DNS messages by who only passes them on: parts of their header (RFC 1035 section 4.1.1). */

/** Octets of a message before its question. */
export const dnsHeaderOctets = 12;

const responseCodeBits = 0x0f; // of the fourth octet
/** Codes that make a resolver turn to the next nameserver: server failure, not implemented, refused. */
const failureCodes: ReadonlySet<number> = new Set([2, 4, 5]);

/** Whether the next nameserver may do better. */
export function isDnsFailure(answer: Uint8Array): boolean {
  return answer.length < dnsHeaderOctets ||
    failureCodes.has(answer[3]! & responseCodeBits);
}

/** Whether it has records in its answer section: not that there is no such name, or none of the type. */
export function hasDnsRecords(answer: Uint8Array): boolean {
  return answer.length >= dnsHeaderOctets &&
    (answer[6] !== 0 || answer[7] !== 0);
}
