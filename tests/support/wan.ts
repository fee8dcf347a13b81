/**
 * A wide area network between a laptop and the cluster: delay, loss, a rate, silence, on the link that leads to the API
 * server and, with `openDirectPath`, to the pods. The frames are carried by a program in user space (wan.c), so it works
 * on a kernel that cannot delay or lose any. The bed only.
 */
import type { Laptop } from "../cluster/mod.ts";
import { WanProgram } from "./wan_program.ts";

export type WanDirection = "up" | "down";

/** What a way is like; `up` is what the laptop sends. */
export interface WanShape {
  /** Of each way: half of what it adds to a round trip. Default 0. */
  readonly delayMs: number;
  /** Share of the frames that are lost on each way. Default 0. */
  readonly lossPercent: number;
  /** Megabits of whole frames per second on each way; 0: as fast as the machine can. Default 0. */
  readonly rateMbit: number;
  /** For how long a frame may wait for those before it when there is a rate; what finds more is dropped. Default 50. */
  readonly queueMs: number;
  /**
   * Whether the kernels send packets of up to 64 KiB, which are carried (or lost) as one. Default: unless there is loss
   * or a rate.
   */
  readonly superPackets: boolean;
}

export interface WanOptions extends Partial<WanShape> {
  /** Begins the sequence of losses. Default 1. */
  readonly seed?: number;
}

/** Frames of one way since the wan was opened. */
export interface WanCount {
  readonly passed: number;
  readonly bytes: number;
  /** By {@link WanShape.lossPercent}. */
  readonly lost: number;
  /** Because the queue of the rate was full. */
  readonly tailDropped: number;
  /** By a black hole. */
  readonly swallowed: number;
  /** Because the wan itself could not: not 0 means that what was measured is worth nothing. */
  readonly failed: number;
}

export type WanCounts = Readonly<Record<WanDirection, WanCount>>;

export interface Wan extends AsyncDisposable {
  readonly shape: WanShape;
  /** The program that carries the frames. */
  readonly pid: number;
  /** Changes what is named; what is on the way is still delivered, in its order and when it was due. */
  change(shape: Partial<WanShape>): Promise<void>;
  /** Swallows all that enters from here on, in the given directions or both, and nobody is told. */
  blackHole(directions?: readonly WanDirection[]): Promise<void>;
  /** Ends the black hole. */
  mend(): Promise<void>;
  counts(): Promise<WanCounts>;
}

const plain = { delayMs: 0, lossPercent: 0, rateMbit: 0, queueMs: 50 } as const;

/** Lays a wan into a laptop's link to the cluster; the link is as before when it is disposed of, which is before the laptop. */
export async function openWan(
  laptop: Laptop,
  { seed = 1, ...options }: WanOptions = {},
): Promise<Wan> {
  await using building = new AsyncDisposableStack();
  const program = building.use(await WanProgram.start());
  building.use(await laptop.divertCluster(program.pid));
  building.defer(() => laptop.allowSuperPackets(true));
  await program.command("open");
  await program.command(`seed ${seed}`);
  let chosen = options;
  let shape = await apply(program, { laptop, chosen });
  const stack = building.move();
  return {
    get shape() {
      return shape;
    },
    pid: program.pid,
    change: async (changes) => {
      chosen = { ...chosen, ...changes };
      shape = await apply(program, { laptop, chosen });
    },
    blackHole: async (directions = ["up", "down"]) => {
      for (const way of directions) await program.command(`hole ${way} 1`);
    },
    mend: async () => {
      for (const way of ["up", "down"]) await program.command(`hole ${way} 0`);
    },
    counts: async () => JSON.parse(await program.command("count")),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function apply(
  program: WanProgram,
  { laptop, chosen }: { laptop: Laptop; chosen: Partial<WanShape> },
): Promise<WanShape> {
  const shape = wanShape(chosen);
  await laptop.allowSuperPackets(shape.superPackets);
  for (const way of ["up", "down"]) {
    await program.command(`shape ${way} ${shapeWords(shape)}`);
  }
  return shape;
}

/** A shape of what is chosen, and defaults. */
export function wanShape(chosen: Partial<WanShape>): WanShape {
  const shape = { ...plain, ...chosen };
  const isFair = shape.lossPercent > 0 || shape.rateMbit > 0;
  return { superPackets: !isFair, ...shape };
}

/** Microseconds, millionths, kilobits per second and bytes, as the program wants them. */
function shapeWords(
  { delayMs, lossPercent, rateMbit, queueMs }: WanShape,
): string {
  const queueBytes = rateMbit * 1000 / 8 * queueMs;
  return [delayMs * 1000, lossPercent * 10_000, rateMbit * 1000, queueBytes]
    .map(Math.round).join(" ");
}
