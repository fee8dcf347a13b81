/** What a way to the cluster is like as those at its ends see it: the proof of what a wan is told to be. */
import type { Laptop } from "../cluster/mod.ts";

export interface RoundTrips {
  readonly sent: number;
  /** Of those sent, there or back. */
  readonly lostPercent: number;
  /** Of those that came back; not a number if none did. */
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
}

/** Echoes of an address, one every `everyMs` (default 2) without waiting for the last one's answer. */
export async function measureRoundTrips(
  laptop: Laptop,
  { address, count, everyMs = 2 }: {
    address: string;
    count: number;
    everyMs?: number;
  },
): Promise<RoundTrips> {
  const flags = ["-n", "-W", "1", "-c", `${count}`, "-i", `${everyMs / 1000}`];
  const { stdout } = await laptop.run(["ping", ...flags, address]);
  return parseEchoes(stdout);
}

/** What the words of ping come to. */
export function parseEchoes(text: string): RoundTrips {
  const sent = Number(/^(\d+) packets transmitted/m.exec(text)?.[1]);
  if (!(sent > 0)) throw new Error(`Cannot read "${text}": no count in it`);
  const timesMs = [...text.matchAll(/ time=([\d.]+) ms/g)]
    .map(([, time]) => Number(time)).sort((a, b) => a - b);
  return {
    sent,
    lostPercent: (sent - timesMs.length) / sent * 100,
    medianMs: timesMs[timesMs.length >> 1] ?? NaN,
    minMs: timesMs[0] ?? NaN,
    maxMs: timesMs.at(-1) ?? NaN,
  };
}
