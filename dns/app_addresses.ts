/** Addresses of the cluster as apps of the laptop are told them. */
import { Ip } from "../net/mod.ts";
import type { Answer } from "./answer.ts";
import type { Fqdn } from "./name.ts";
import {
  type Asking,
  internetClass,
  recordTypes,
  responseCodes,
} from "./question.ts";
import type { ResourceRecord } from "./record.ts";
import { addressOfReverseName, reverseNameOf } from "./reverse_name.ts";

/**
 * By which address apps reach one of the cluster. What is kept of the cluster's answers are its own addresses, so that an
 * answer always tells what holds when it is given.
 */
export interface AppAddresses {
  /**
   * The address that apps are told for `ip`: mostly `ip` itself. `"unreachable"`: this laptop has no way to it, so no app
   * shall wait for it. `"full"`: there would be one, but for want of room.
   */
  toApp(ip: Ip): Ip | "unreachable" | "full";
  /**
   * The address of the cluster that `ip` stands for. `"nothing"`: it could stand for one, and does not. `"host"`: it is
   * told as another one, since the host has a use of its own for it. `undefined` for all other addresses.
   */
  behind(ip: Ip): Ip | "nothing" | "host" | undefined;
}

const addressTypes: ReadonlySet<number> = new Set([
  recordTypes.a,
  recordTypes.aaaa,
]);

/** `answer` with the addresses that apps are told. What cannot be told is left out; a whole answer of these has failed. */
export function answerForApp(answer: Answer, addresses: AppAddresses): Answer {
  const asked = new Told(addresses);
  const answers = asked.records(answer.answers);
  if (asked.isFull && !answers.some(isAddress)) {
    const responseCode = responseCodes.serverFailure;
    return { ...answer, ...withoutRecords, responseCode };
  }
  const others = new Told(addresses);
  return {
    ...answer,
    answers,
    authorities: others.records(answer.authorities),
    additionals: others.records(answer.additionals),
  };
}

const withoutRecords = { answers: [], authorities: [], additionals: [] };

class Told {
  isFull = false;
  readonly #addresses: AppAddresses;

  constructor(addresses: AppAddresses) {
    this.#addresses = addresses;
  }

  records(records: readonly ResourceRecord[]): readonly ResourceRecord[] {
    return records.some(isAddress)
      ? records.flatMap((record) => this.#record(record) ?? [])
      : records;
  }

  #record(record: ResourceRecord): ResourceRecord | undefined {
    if (!isAddress(record)) return record;
    const told = this.#addresses.toApp(Ip.of(record.data));
    if (told === "full") this.isFull = true;
    return typeof told === "string"
      ? undefined
      : { ...record, data: told.bytes };
  }
}

function isAddress(record: ResourceRecord): boolean {
  return addressTypes.has(record.type) && record.class === internetClass &&
    record.data.length === (record.type === recordTypes.a ? 4 : 16);
}

/**
 * The reverse name of the address behind the one that is asked for. `"nothing"`: nothing is behind it, so it has no name.
 * `"host"`: the host's nameservers may know it. `undefined`: the question is about something else.
 */
export function nameBehind(
  { name, class: kind }: Asking,
  addresses: AppAddresses,
): Fqdn | "nothing" | "host" | undefined {
  if (kind !== internetClass) return undefined;
  const ip = addressOfReverseName(name);
  const behind = ip && addresses.behind(ip);
  return behind instanceof Ip ? reverseNameOf(behind) : behind;
}
