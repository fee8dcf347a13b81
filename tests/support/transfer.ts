/** A long transfer on a laptop that is watched while it goes on. */
import assert from "node:assert/strict";
import { type Laptop, sleep } from "../cluster/mod.ts";
import { type LaptopScript, startScript } from "./laptop_script.ts";

const files = "http://bench.default:5004/";
const source = "tcp://bench.default:5002/";

export interface TransferOptions {
  /** By HTTP, or from a service that sends bytes and tells nothing of them. */
  way: "down" | "up" | "source";
  bytes: number;
  /** Bytes a second, until {@link Transfer.release}. */
  rate: number;
}

export class Transfer implements AsyncDisposable {
  readonly options: TransferOptions;
  readonly #script: LaptopScript;
  readonly #watching: Promise<string>;
  #bytes = 0;
  #hasEnded = false;
  #waiting = new Set<() => void>();

  private constructor(script: LaptopScript, options: TransferOptions) {
    this.#script = script;
    this.options = options;
    this.#watching = this.#watch();
    this.#watching.catch(() => {}).finally(() => {
      this.#hasEnded = true;
      this.#wake();
    });
  }

  /** Resolves when its first bytes are on their way. */
  static async start(
    laptop: Laptop,
    options: TransferOptions,
  ): Promise<Transfer> {
    const { way, bytes, rate } = options;
    const url = way === "source" ? source : files;
    const args = [way, url, `${bytes}`, `${rate}`];
    const script = startScript(laptop, "transfer_script.ts", args);
    const transfer = new Transfer(script, options);
    await transfer.progress();
    return transfer;
  }

  /** Bytes that were read, or handed on. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Well or not: {@link Transfer.finish} tells. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Resolves when more bytes have passed than by now. @throws {Error} when it has ended */
  async progress(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    await Promise.race([promise, this.#watching.then(() => {})]);
  }

  /** The longest time within the next `ms` in which nothing passed. */
  async longestPause(ms: number): Promise<number> {
    const endMs = performance.now() + ms;
    const over = sleep(ms);
    let longestMs = 0;
    for (let lastMs = performance.now(); lastMs < endMs;) {
      await Promise.race([this.progress(), over]);
      const nowMs = performance.now();
      longestMs = Math.max(longestMs, nowMs - lastMs);
      lastMs = nowMs;
    }
    return longestMs;
  }

  /** As fast as it goes from here on, if it still goes. */
  async release(): Promise<void> {
    await this.#script.tell("go").catch(() => {});
  }

  /** Waits for the end. @throws {AssertionError} unless every byte has arrived, once and in its place */
  async finish(): Promise<void> {
    const { bytes, arrived, sent } = JSON.parse(await this.#watching);
    assert.equal(bytes, this.options.bytes);
    assert.match(arrived, /^[0-9a-f]{64}$/);
    assert.equal(arrived, sent, `${this.options.way}: other bytes arrived`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#script[Symbol.asyncDispose]();
    await this.#watching.catch(() => {});
  }

  /** Reads to the last line, which is the result. */
  async #watch(): Promise<string> {
    for (;;) {
      const line = await this.#script.nextLine();
      if (line.startsWith("{")) {
        this.#bytes = this.options.bytes;
        return line;
      }
      this.#bytes = Number(line);
      this.#wake();
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
