/** What a soak does when: the same for the same seed. */
import { seeded } from "../support/seeded.ts";

const kinds = [
  ...["reset", "end", "restart", "roam", "stop"] as const,
  ...["black hole", "one black hole"] as const,
];

export type FaultKind = (typeof kinds)[number];

export interface Plan {
  /** For how long nothing happens before. */
  readonly calmMs: number;
  readonly kind: FaultKind;
  /** How long the fault lasts, where that can be told. */
  readonly seconds: number;
}

const calmMs = { least: 200, most: 6_000 };
const seconds = { least: 2, most: 30 };

/** Endless. */
export function* plans(seed: number): Generator<Plan, never> {
  const random = seeded(seed);
  const between = ({ least, most }: { least: number; most: number }) =>
    Math.round(least + random() * (most - least));
  for (;;) {
    yield {
      calmMs: between(calmMs),
      kind: kinds[Math.floor(random() * kinds.length)]!,
      // Short ones are the most.
      seconds: Math.min(between(seconds), between(seconds)),
    };
  }
}
