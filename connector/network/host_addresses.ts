import { Ip } from "../../net/mod.ts";

/** The addresses of a host of this laptop's own network by its name, or of an address itself; none where it does not resolve. */
export async function hostAddresses(host: string): Promise<Ip[]> {
  const literal = Ip.tryParse(host);
  if (literal) return [literal];
  const { lookup } = await import("node:dns/promises");
  const answers = await lookup(host, { all: true }).catch(() => []);
  return answers.flatMap(({ address }) => Ip.tryParse(address) ?? []);
}
