import { dnsHeaderOctets } from "../net/mod.ts";
import {
  decodeQuestion,
  flagBits,
  messageFlags,
  type Question,
  recordTypes,
  responseCodes,
} from "./question.ts";
import { decodeRecord, type ResourceRecord } from "./record.ts";

/** What a nameserver said to a question, free of the message it came in. EDNS is of the message, so it is not here. */
export interface Answer {
  readonly responseCode: number;
  readonly authoritative: boolean;
  /** Some records are missing. */
  readonly truncated: boolean;
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
}

/** An answer without records. */
export function bareAnswer(responseCode: number): Answer {
  return {
    responseCode,
    authoritative: false,
    truncated: false,
    answers: [],
    authorities: [],
    additionals: [],
  };
}

/**
 * Reads a nameserver's answer to `asked`.
 *
 * @returns `undefined` when the message is none: broken, not a response, or to another question.
 */
export function decodeAnswer(
  message: Uint8Array,
  asked: Pick<Question, "name" | "type" | "class">,
): Answer | undefined {
  const question = decodeQuestion(message);
  if (
    question === undefined || question.type !== asked.type ||
    question.class !== asked.class || !question.name.equals(asked.name)
  ) return undefined;
  const flags = messageFlags(message);
  if ((flags & flagBits.response) === 0) return undefined;
  const sections = decodeSections(message, question.end);
  if (sections === undefined) return undefined;
  const [answers, authorities, additionals] = sections;
  return {
    responseCode: flags & flagBits.responseCode,
    authoritative: (flags & flagBits.authoritative) !== 0,
    truncated: (flags & flagBits.truncated) !== 0,
    answers,
    authorities,
    additionals: additionals.filter(({ type }) => type !== recordTypes.opt),
  };
}

type Sections = [ResourceRecord[], ResourceRecord[], ResourceRecord[]];

function decodeSections(
  message: Uint8Array,
  at: number,
): Sections | undefined {
  const sections: Sections = [[], [], []];
  for (let i = 0; i < sections.length; i++) {
    const field = 6 + 2 * i;
    const count = message[field]! << 8 | message[field + 1]!;
    for (let n = 0; n < count; n++) {
      const read = decodeRecord(message, at);
      if (read === undefined) return undefined;
      sections[i]!.push(read.record);
      at = read.end;
    }
  }
  return sections;
}

/** What the asker can take beyond RFC 1035 (RFC 6891 section 6.1). */
export interface Edns {
  /** The largest UDP answer it takes, in octets. */
  readonly udpBytes: number;
  readonly version: number;
  /** It takes records of DNSSEC (the bit DO, RFC 3225); an answer says so again. */
  readonly dnssecOk: boolean;
}

/** The EDNS part of a query; `undefined` when it has none, or is broken behind the question. */
export function decodeEdns(
  query: Uint8Array,
  question: Question,
): Edns | undefined {
  const hasAdditionals = query.length >= dnsHeaderOctets &&
    (query[10] !== 0 || query[11] !== 0);
  if (!hasAdditionals) return undefined;
  const additionals = decodeSections(query, question.end)?.[2] ?? [];
  const opt = additionals.find(({ type }) => type === recordTypes.opt);
  // Extended code, version, flags (RFC 6891 section 6.1.3).
  return opt && {
    udpBytes: opt.class,
    version: opt.ttl >> 16 & 0xff,
    dnssecOk: (opt.ttl & 0x8000) !== 0,
  };
}

/** "No such name" and "no such record" are kept no longer, so that what comes into the cluster is soon found. */
const maxNegativeSeconds = 1;

/**
 * How long an answer may be given again, in seconds: the shortest TTL of its records, and for "no such name" or
 * "no such record" what the zone's SOA allows (RFC 2308 section 5), a second at most. Zero: not at all.
 */
export function lifetimeSeconds(answer: Answer): number {
  const { responseCode, truncated, answers, authorities, additionals } = answer;
  const known = responseCode === responseCodes.ok ||
    responseCode === responseCodes.noSuchName;
  if (truncated || !known) return 0;
  let seconds = Infinity;
  for (const records of [answers, authorities, additionals]) {
    for (const { ttl } of records) seconds = Math.min(seconds, ttl);
  }
  if (responseCode === responseCodes.ok && answers.length > 0) return seconds;
  const soa = authorities.find(({ type }) => type === recordTypes.soa);
  if (soa === undefined || soa.data.length < 4) return 0;
  const minimum = new DataView(
    soa.data.buffer,
    soa.data.byteOffset + soa.data.length - 4,
  ).getUint32(0);
  return Math.min(seconds, minimum, maxNegativeSeconds);
}
