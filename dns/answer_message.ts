import { dnsHeaderOctets } from "../net/mod.ts";
import { type Answer, bareAnswer, decodeEdns, type Edns } from "./answer.ts";
import { Fqdn } from "./name.ts";
import {
  decodeQuestion,
  flagBits,
  messageFlags,
  type Question,
  recordTypes,
  responseCodes,
} from "./question.ts";
import type { ResourceRecord } from "./record.ts";

/** The largest UDP answer to who does not say what it takes (RFC 1035 section 4.2.1). */
const plainUdpBytes = 512;
const maxMessageBytes = 65_535;
/** An OPT record without options (RFC 6891 section 6.1.2). */
const optOctets = 11;
/** What the OPT record of an answer says of ourselves. */
const ourUdpBytes = 1232;
/** BADVERS, of which an OPT record holds the upper bits (RFC 6891 section 6.1.3). */
const badVersionHigh = 16 >> 4;

export interface AnswerMessageOptions {
  /** What the query asks, when it has been read already. */
  question?: Question;
  /** The name that was asked of the nameserver in place of the question's. Records that it owns get the question's. */
  alias?: Fqdn;
  /** Seconds since the answer was fresh; taken off each TTL. */
  ageSeconds?: number;
  /** The largest datagram that the way to the asker carries. Absent: the answer goes over a stream. */
  maxDatagramBytes?: number;
}

/**
 * Writes `answer` as the message that answers `query`: its id, its question letter by letter, EDNS only if it has EDNS,
 * and then of a version that is known (a later one is told so, without the answer).
 * Records that do not fit are left out; if one of them answers the question, the message is marked truncated.
 */
export function encodeAnswer(
  query: Uint8Array,
  answer: Answer,
  options: AnswerMessageOptions = {},
): Uint8Array {
  const question = options.question ?? decodeQuestion(query);
  const edns = question && decodeEdns(query, question);
  if (edns && edns.version > 0) answer = bareAnswer(responseCodes.ok);
  const limit = options.maxDatagramBytes === undefined
    ? maxMessageBytes
    : Math.min(
      options.maxDatagramBytes,
      Math.max(plainUdpBytes, edns?.udpBytes ?? 0),
    );
  const writer = new Writer(query, question, {
    limit: limit - (edns ? optOctets : 0),
    ...options,
  });
  const whole = writer.section(6, answer.answers) &&
    writer.section(8, answer.authorities);
  if (whole) writer.section(10, answer.additionals);
  if (edns) writer.opt(edns);
  return writer.finish(answer, { truncated: answer.truncated || !whole });
}

class Writer {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #limit: number;
  readonly #alias: Fqdn | undefined;
  readonly #asked: Fqdn | undefined;
  readonly #ageSeconds: number;
  /** Where each name, by its key, was written. */
  readonly #places = new Map<string, number>();
  #at: number;

  constructor(
    query: Uint8Array,
    question: Question | undefined,
    options: AnswerMessageOptions & { limit: number },
  ) {
    this.#at = question?.end ?? dnsHeaderOctets;
    this.#limit = Math.max(options.limit, this.#at);
    this.#bytes = new Uint8Array(this.#limit + optOctets);
    this.#view = new DataView(this.#bytes.buffer);
    this.#bytes.set(query.subarray(0, this.#at));
    this.#bytes.fill(0, 6, dnsHeaderOctets);
    if (question === undefined) this.#view.setUint16(4, 0);
    else this.#remember(question.name, dnsHeaderOctets);
    this.#asked = question?.name;
    this.#alias = options.alias;
    this.#ageSeconds = options.ageSeconds ?? 0;
  }

  /** Writes as many of `records` as fit and counts them in the header. False when some did not. */
  section(countField: number, records: readonly ResourceRecord[]): boolean {
    let count = 0;
    for (const record of records) {
      if (!this.#record(record)) return false;
      this.#view.setUint16(countField, ++count);
    }
    return true;
  }

  opt({ version, dnssecOk }: Edns): void {
    // Root as its name, our version 0, no options.
    this.#bytes.fill(0, this.#at, this.#at + optOctets);
    this.#view.setUint16(this.#at + 1, recordTypes.opt);
    this.#view.setUint16(this.#at + 3, ourUdpBytes);
    this.#bytes[this.#at + 5] = version === 0 ? 0 : badVersionHigh;
    this.#bytes[this.#at + 7] = dnssecOk ? 0x80 : 0;
    this.#at += optOctets;
    this.#view.setUint16(10, this.#view.getUint16(10) + 1);
  }

  finish(answer: Answer, { truncated }: { truncated: boolean }): Uint8Array {
    const asked = messageFlags(this.#bytes) &
      (flagBits.opcode | flagBits.recursionDesired | flagBits.checkingDisabled);
    this.#view.setUint16(
      2,
      asked | flagBits.response | flagBits.recursionAvailable |
        (answer.authoritative ? flagBits.authoritative : 0) |
        (truncated ? flagBits.truncated : 0) | answer.responseCode,
    );
    return this.#bytes.subarray(0, this.#at);
  }

  #record(record: ResourceRecord): boolean {
    const renamed = this.#alias && this.#asked &&
      record.name.equals(this.#alias);
    const name = renamed ? this.#asked! : record.name;
    const { octets, write } = this.#name(name);
    const end = this.#at + octets + 10 + record.data.length;
    if (end > this.#limit) return false;
    write();
    this.#view.setUint16(this.#at, record.type);
    this.#view.setUint16(this.#at + 2, record.class);
    this.#view.setUint32(
      this.#at + 4,
      Math.max(0, record.ttl - this.#ageSeconds),
    );
    this.#view.setUint16(this.#at + 8, record.data.length);
    this.#bytes.set(record.data, this.#at + 10);
    this.#at = end;
    return true;
  }

  /** A pointer to where the whole name stands already, else the name in full. */
  #name(name: Fqdn): { octets: number; write: () => void } {
    const place = this.#places.get(name.key);
    if (place !== undefined) {
      const write = () => {
        this.#view.setUint16(this.#at, 0xc000 | place);
        this.#at += 2;
      };
      return { octets: 2, write };
    }
    const write = () => {
      this.#remember(name, this.#at);
      this.#bytes.set(name.encode(), this.#at);
      this.#at += name.octets;
    };
    return { octets: name.octets, write };
  }

  #remember(name: Fqdn, at: number): void {
    // A pointer has fourteen bits; the root is shorter than one.
    if (at < 0x4000 && name.labels.length > 0) this.#places.set(name.key, at);
  }
}
