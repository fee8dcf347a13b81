/** What a nameserver answered, as text that is the same for equal answers. */
import { Buffer } from "node:buffer";
// @ts-types="@types/dns-packet"
import packet from "dns-packet";

/** Which sections count. */
export type Section = "answers" | "authorities" | "additionals";

/**
 * @param hex The message; `!` for none.
 * @param options.form The name that was asked for.
 * @param options.full The name that it stands for.
 * @returns Code and records, without their order and their TTL, `form` written as `full`.
 */
export function answerText(
  hex: string,
  { form, full, sections }: {
    form: string;
    full: string;
    sections: readonly Section[];
  },
): string {
  if (hex === "!") return "no answer";
  const message = packet.decode(Buffer.from(hex, "hex"));
  const lines = sections.flatMap((section) =>
    (message[section] ?? []).filter(({ type }) => type !== "OPT").map(
      (record) => {
        const { name, type } = record;
        const data = (record as { data?: unknown }).data;
        const owner = name.toLowerCase() === form ? full : name.toLowerCase();
        return `${section} ${owner} ${type} ${JSON.stringify(data)}`;
      },
    ).sort()
  );
  return [`code ${message.flags! & 15}`, ...lines].join("; ");
}

/** Whether a message answers with records, not only says who lacks them. */
export function hasRecords(hex: string): boolean {
  return packet.decode(Buffer.from(hex, "hex")).answers!.length > 0;
}

/** The TTLs of the records of a message. */
export function ttlsOf(hex: string): number[] {
  const { answers, authorities } = packet.decode(Buffer.from(hex, "hex"));
  return [...answers ?? [], ...authorities ?? []].map((record) =>
    (record as { ttl: number }).ttl
  );
}
