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
  }
  /** Send so many bytes on each stream, once, and take their echo. */
  | { readonly order: "fill"; readonly bytes: number };

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

/** How many are opened or filled at a time. */
const atATime = 32;
const requestBytes = 100;
const bufferBytes = 64 * 1024;

/** Obeys until its input ends. */
export async function hold(opener: Opener): Promise<void> {
  const streams: Conn[] = [];
  const growTo = (count: number) =>
    someAtATime(count - streams.length, async () => {
      streams.push(await opener.stream());
    });
  console.log("ready");
  for await (const line of lines(Deno.stdin.readable)) {
    const order: HolderOrder = JSON.parse(line);
    const startMs = performance.now();
    let answer: unknown;
    if (order.order === "sessions") await opener.sessions?.(order.count);
    if (order.order === "streams") await growTo(order.count);
    if (order.order === "fill") {
      await someAtATime(
        streams.length,
        (n) => echo(streams[n]!, order.bytes).then(() => {}),
      );
    }
    if (order.order === "ask") answer = await ask(streams, order);
    const ms = performance.now() - startMs;
    console.log(JSON.stringify(answer ?? { ms }));
  }
  Deno.exit(0);
}

async function someAtATime(
  count: number,
  work: (n: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: atATime }, async () => {
    while (next < count) await work(next++);
  }));
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
    running.push(echo(stream, requestBytes).then((ms) => void times.push(ms)));
  }
  await Promise.all(running);
  times.sort((a, b) => a - b);
  const at = (part: number) =>
    Math.round(times[Math.floor(times.length * part)]! * 1000);
  return { count: times.length, p50Us: at(0.5), p99Us: at(0.99) };
}

/** Sends `bytes` octets and reads as many. @returns how long it took, in ms */
async function echo(stream: Conn, bytes: number): Promise<number> {
  const startMs = performance.now();
  const sent = writeAll(stream, new Uint8Array(bytes));
  const buffer = new Uint8Array(Math.min(bytes, bufferBytes));
  for (let have = 0; have < bytes;) {
    const count = await stream.read(buffer);
    if (count === null) throw new Error("Cannot go on: the echo has ended");
    have += count;
  }
  await sent;
  return performance.now() - startMs;
}
