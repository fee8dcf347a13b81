import { Ip } from "../net/mod.ts";
import { decodeAnswer } from "./answer.ts";
import type { Fqdn } from "./name.ts";
import { encodeQuery } from "./query_message.ts";
import { internetClass, recordTypes } from "./question.ts";

/** Record types that hold an address, and how long it is. */
const octetsByType = [[recordTypes.a, 4], [recordTypes.aaaa, 16]] as const;

/**
 * The addresses of a name, IPv4 first, as `answer` has them.
 *
 * @param answer Answers one query as over TCP; `undefined` when it does not.
 */
export async function addressesOf(
  name: Fqdn,
  answer: (query: Uint8Array) => Promise<Uint8Array | undefined>,
): Promise<Ip[]> {
  const found = await Promise.all(
    octetsByType.map(async ([type, octets]) => {
      const question = { name, type, class: internetClass };
      const message = await answer(encodeQuery(question, { id: 0 }));
      const decoded = message && decodeAnswer(message, question);
      return decoded?.answers
        .filter((one) => one.type === type && one.data.length === octets)
        .map(({ data }) => Ip.of(data)) ?? [];
    }),
  );
  return found.flat();
}
