/**
 * Holds connections to echo servers open, as its standard input says, a JSON line each; answers each with a line. This is
 * the part that the programs beside it share.
 */
// deno-lint-ignore-file no-console -- its output is what it answers
import { type Conn, writeAll } from "../../net/mod.ts";
import { lines } from "../../tests/support/big_cluster/lines.ts";

/** What a holder is told. */
export type HolderOrder =
  /** Open more, until there are so many in all. */
  | { readonly order: "sessions" | "streams"; readonly count: number }
  /** Ask on streams that are open, chosen in turn, at a steady pace. */
  | {
    readonly order: "ask";
    readonly perSecond: number;
    readonly seconds: number;
  };

/** Times of requests of {@link requestBytes} and their echoes. */
export interface Latency {
  readonly count: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

export interface Opener {
  /** Brings the number of sessions to `count`. */
  sessions?(count: number): Promise<void>;
  /** One more connection to an echo server. */
  stream(): Promise<Conn>;
}

/** How many are opened at a time. */
const opening = 32;
const requestBytes = 100;

/** Obeys until its input ends. */
export async function hold(opener: Opener): Promise<void> {
  const streams: Conn[] = [];
  const growTo = async (count: number) => {
    let missing = count - streams.length;
    await Promise.all(Array.from({ length: opening }, async () => {
      while (missing-- > 0) streams.push(await opener.stream());
    }));
  };
  console.log("ready");
  for await (const line of lines(Deno.stdin.readable)) {
    const order: HolderOrder = JSON.parse(line);
    const startMs = performance.now();
    let answer: unknown;
    if (order.order === "sessions") await opener.sessions?.(order.count);
    if (order.order === "streams") await growTo(order.count);
    if (order.order === "ask") answer = await ask(streams, order);
    const ms = performance.now() - startMs;
    console.log(JSON.stringify(answer ?? { ms }));
  }
  Deno.exit(0);
}

async function ask(
  streams: readonly Conn[],
  { perSecond, seconds }: { perSecond: number; seconds: number },
): Promise<Latency> {
  const times: number[] = [];
  const running: Promise<void>[] = [];
  const startMs = performance.now();
  for (let n = 0; n < perSecond * seconds; n++) {
    const waitMs = startMs + n * 1000 / perSecond - performance.now();
    if (waitMs > 0) await new Promise((done) => setTimeout(done, waitMs));
    const stream = streams[n % streams.length]!;
    running.push(echo(stream).then((ms) => void times.push(ms)));
  }
  await Promise.all(running);
  times.sort((a, b) => a - b);
  const at = (part: number) =>
    Math.round(times[Math.floor(times.length * part)]! * 1000);
  return { count: times.length, p50Us: at(0.5), p99Us: at(0.99) };
}

async function echo(stream: Conn): Promise<number> {
  const startMs = performance.now();
  await writeAll(stream, new Uint8Array(requestBytes));
  const buffer = new Uint8Array(requestBytes);
  for (let have = 0; have < requestBytes;) {
    const count = await stream.read(buffer.subarray(have));
    if (count === null) throw new Error("Cannot go on: the echo has ended");
    have += count;
  }
  return performance.now() - startMs;
}
