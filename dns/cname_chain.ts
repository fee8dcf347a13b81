import { Ip } from "../net/mod.ts";
import type { Answer } from "./answer.ts";
import { Fqdn } from "./name.ts";
import { internetClass, recordTypes } from "./question.ts";
import type { ResourceRecord } from "./record.ts";

/** One step of a chain: a record that says that a name stands for another. */
export interface ChainStep {
  readonly record: ResourceRecord;
  readonly target: Fqdn;
}

/** The steps that lead on from `name`, in order. A chain that closes ends before it does. */
export function chainFrom(name: Fqdn, { answers }: Answer): ChainStep[] {
  const steps: ChainStep[] = [];
  const seen = new Set<string>();
  for (;;) {
    seen.add(name.key);
    const record = answers.find((one) =>
      one.type === recordTypes.cname && one.name.equals(name)
    );
    const target = record && Fqdn.decode(record.data, 0)?.name;
    if (target === undefined || seen.has(target.key)) return steps;
    steps.push({ record: record!, target });
    name = target;
  }
}

/** The record by which `name` stands for `of`; none when it is an address and the question is for another type. */
export function aliasRecord(
  name: Fqdn,
  { of, type, ttl }: { of: Fqdn | Ip; type: number; ttl: number },
): ResourceRecord | undefined {
  const fields = { name, class: internetClass, ttl };
  if (of instanceof Fqdn) {
    return { ...fields, type: recordTypes.cname, data: of.encode() };
  }
  const own = of.family === 4 ? recordTypes.a : recordTypes.aaaa;
  return type === own ? { ...fields, type: own, data: of.bytes } : undefined;
}

/** The addresses that an answer holds. */
export function addressesIn({ answers }: Answer): Ip[] {
  return answers.flatMap(({ type, data }) =>
    type === recordTypes.a && data.length === 4 ||
      type === recordTypes.aaaa && data.length === 16
      ? Ip.of(data)
      : []
  );
}
