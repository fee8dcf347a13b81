/** Names of one of several clusters as apps are told them, so that they lead to the same cluster again. */
import type { Answer } from "./answer.ts";
import { Fqdn } from "./name.ts";
import { recordTypes } from "./question.ts";
import type { ResourceRecord } from "./record.ts";

/** Types whose data leads on to another name, which is the last of it, by the octets before it. */
const octetsBeforeName: Readonly<Record<number, number>> = {
  [recordTypes.ns]: 0,
  [recordTypes.cname]: 0,
  [recordTypes.ptr]: 0,
  [recordTypes.mx]: 2,
  [recordTypes.srv]: 6,
};

export interface SuffixedOptions {
  /** What is put behind names. */
  suffix: Fqdn;
  /** Which names it is put behind. */
  isMeant: (name: Fqdn) => boolean;
}

/** `name` with the suffix, if it is meant and has room for it. */
export function suffixedName(
  name: Fqdn,
  { suffix, isMeant }: SuffixedOptions,
): Fqdn {
  return isMeant(name) ? name.under(suffix) ?? name : name;
}

/** `answer` with {@link suffixedName} in the place of each name that a record has, or leads to. */
export function suffixed(answer: Answer, options: SuffixedOptions): Answer {
  const rename = (name: Fqdn) => suffixedName(name, options);
  const section = (records: readonly ResourceRecord[]) =>
    records.map((record) => ({
      ...record,
      name: rename(record.name),
      data: renamedData(record, rename),
    }));
  return {
    ...answer,
    answers: section(answer.answers),
    authorities: section(answer.authorities),
    additionals: section(answer.additionals),
  };
}

function renamedData(
  { type, data }: ResourceRecord,
  rename: (name: Fqdn) => Fqdn,
): Uint8Array {
  const before = octetsBeforeName[type];
  const name = before === undefined
    ? undefined
    : Fqdn.decode(data, before)?.name;
  if (name === undefined) return data;
  const encoded = rename(name).encode();
  const told = new Uint8Array(before! + encoded.length);
  told.set(data.subarray(0, before));
  told.set(encoded, before);
  return told;
}
