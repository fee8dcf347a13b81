/**
 * One port of a pod over `v4.channel.k8s.io`: the first octet of each message names a channel, 0 for data, 1 for
 * errors. On each the server first sends the port, two octets.
 *
 * This protocol has no end of one direction: {@link ChannelConn.closeWrite} keeps the peer untold.
 */
import { type Conn, ConnResetError } from "../net/mod.ts";
import type { ByteSink } from "./_outbox.ts";
import { PodError } from "./_pod_error.ts";
import type { WebSocketSource } from "./_websocket.ts";

const dataChannel = 0;
const errorChannel = 1;
/** Octets of the port that each channel starts with. */
const portBytes = 2;
const longestPayload = 128 * 1024;

export interface ChannelBelow {
  /** Closed with the flow. */
  conn: Pick<Conn, "close">;
  source: WebSocketSource;
  sink: ByteSink;
}

export class ChannelConn implements Conn {
  readonly #below: ChannelBelow;
  readonly #out: Uint8Array;
  readonly #podError = new PodError();
  /** Octets of the port that are still to come, by channel. */
  readonly #portMissing = [portBytes, portBytes];
  #channel = -1;
  #answered = false;
  #failure: Error | undefined;

  private constructor(below: ChannelBelow) {
    this.#below = below;
    // The channel's octet stands right before the payload, which is aligned.
    this.#out = new Uint8Array(below.sink.headroom + 1 + longestPayload);
  }

  /**
   * Waits for the ports.
   *
   * @throws {ConnResetError} when the server does not take the channels.
   */
  static async open(below: ChannelBelow): Promise<ChannelConn> {
    const conn = new ChannelConn(below);
    const taken = () => conn.#portMissing.every((missing) => missing === 0);
    while (!taken()) {
      conn.#take(noRoom);
      if (!taken() && !await below.source.fill()) throw conn.#cut();
    }
    return conn;
  }

  async read(into: Uint8Array): Promise<number | null> {
    for (;;) {
      const count = this.#take(into);
      if (count > 0) return count;
      if (!this.#podError.isEmpty) {
        this.#failure ??= this.#podError.toError(this.#answered);
      }
      if (this.#failure) throw this.#failure;
      if (!await this.#below.source.fill()) return null;
    }
  }

  async write(bytes: Uint8Array): Promise<number> {
    if (this.#failure) throw this.#failure;
    const length = Math.min(bytes.length, longestPayload);
    const at = this.#below.sink.headroom;
    this.#out[at] = dataChannel;
    const payload = length === bytes.length ? bytes : bytes.subarray(0, length);
    this.#out.set(payload, at + 1);
    await this.#below.sink.send(this.#out, at, at + 1 + length);
    return length;
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.#failure ??= new ConnResetError("Cannot go on: the flow is closed");
    this.#below.conn.close();
  }

  reset(): void {
    this.close();
  }

  /** Takes what is at hand; copies what is data, until `into` is full. Returns how much it copied. */
  #take(into: Uint8Array): number {
    const { source } = this.#below;
    let copied = 0;
    for (let bytes = source.peek(); bytes.length > 0; bytes = source.peek()) {
      if (source.startsMessage) {
        this.#channel = bytes[0]!;
        source.consume(1);
        continue;
      }
      const port = this.#portMissing[this.#channel] ?? 0;
      let count = port > 0 ? Math.min(port, bytes.length) : bytes.length;
      if (port > 0) {
        this.#portMissing[this.#channel]! -= count;
      } else if (this.#channel === dataChannel) {
        count = Math.min(count, into.length - copied);
        if (count === 0) break;
        into.set(bytes.subarray(0, count), copied);
        copied += count;
        this.#answered = true;
      } else if (this.#channel === errorChannel) {
        this.#podError.add(bytes);
      }
      source.consume(count);
    }
    return copied;
  }

  #cut(): Error {
    return this.#podError.isEmpty
      ? new ConnResetError("Cannot go on: the API server hung up")
      : this.#podError.toError(this.#answered);
  }
}

const noRoom = new Uint8Array(0);
