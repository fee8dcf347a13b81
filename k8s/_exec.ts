/**
 * The standard streams of a command that runs in a pod (`pods/exec`), over `v5.channel.k8s.io` or `v4.channel.k8s.io`:
 * the first octet of each message names a channel.
 *
 * 1. A bridge to a port says that it is ready; what its standard output brings after that is the flow. Of any other command
 *    all of it is.
 * 2. The end of the laptop's direction is told since v5; v4 knows none, and {@link ExecConn.closeWrite} keeps it untold.
 * 3. The pod's direction ends with the command, whose end is told as a `Status`.
 */
import { type Conn, ConnResetError, RefusedError } from "../net/mod.ts";
import type { ByteSink } from "./_outbox.ts";
import { PodError } from "./_pod_error.ts";
import { bridgeReady } from "./_way.ts";
import type { WebSocketSource } from "./_websocket.ts";

const channels = { stdin: 0, stdout: 1, stderr: 2, status: 3, end: 255 };
const longestPayload = 128 * 1024;
/** A status is read up to this length. */
const statusLimit = 4096;
const ready = new TextEncoder().encode(bridgeReady);

export interface ExecBelow {
  /** Closed with the flow. */
  conn: Pick<Conn, "close">;
  source: WebSocketSource;
  sink: ByteSink;
  /** Whether the protocol has an end of one direction. */
  knowsEnds: boolean;
  /** Whether the command is a bridge, which says {@link bridgeReady} first. */
  isBridge: boolean;
}

export class ExecConn implements Conn {
  readonly #below: ExecBelow;
  readonly #out: Uint8Array;
  readonly #stderr = new PodError();
  readonly #decoder = new TextDecoder();
  #status = "";
  #channel = -1;
  /** Octets of {@link bridgeReady} that have come. */
  #readyBytes = 0;
  #answered = false;
  #failure: Error | undefined;

  private constructor(below: ExecBelow) {
    this.#below = below;
    if (!below.isBridge) this.#readyBytes = ready.length;
    // The channel's octet stands right before the payload, which is aligned.
    this.#out = new Uint8Array(below.sink.headroom + 1 + longestPayload);
  }

  /**
   * Waits until a bridge is ready.
   *
   * @throws {RefusedError | ConnResetError} why it does not become so.
   */
  static async open(below: ExecBelow): Promise<ExecConn> {
    const conn = new ExecConn(below);
    while (conn.#readyBytes < ready.length) {
      conn.#take(noRoom);
      if (conn.#failure) throw conn.#failure;
      if (conn.#readyBytes < ready.length && !await below.source.fill()) {
        throw conn.#ended() ??
          new RefusedError("failed", "the bridge ended at once");
      }
    }
    return conn;
  }

  async read(into: Uint8Array): Promise<number | null> {
    for (;;) {
      const count = this.#take(into);
      if (count > 0) return count;
      if (this.#failure) throw this.#failure;
      if (await this.#below.source.fill()) continue;
      this.#failure = this.#ended();
      if (this.#failure === undefined) return null;
    }
  }

  async write(bytes: Uint8Array): Promise<number> {
    if (this.#failure) throw this.#failure;
    const length = Math.min(bytes.length, longestPayload);
    const at = this.#below.sink.headroom;
    this.#out[at] = channels.stdin;
    const payload = length === bytes.length ? bytes : bytes.subarray(0, length);
    this.#out.set(payload, at + 1);
    await this.#below.sink.send(this.#out, at, at + 1 + length);
    return length;
  }

  async closeWrite(): Promise<void> {
    const { sink, knowsEnds } = this.#below;
    if (!knowsEnds) return;
    const at = sink.headroom;
    const message = new Uint8Array(at + 2);
    message.set([channels.end, channels.stdin], at);
    await sink.send(message, at, message.length);
  }

  close(): void {
    this.#failure ??= new ConnResetError("Cannot go on: the flow is closed");
    this.#below.conn.close();
  }

  reset(): void {
    this.close();
  }

  /** Takes what is at hand; copies what is the flow's, until `into` is full. Returns how much it copied. */
  #take(into: Uint8Array): number {
    const { source } = this.#below;
    let copied = 0;
    while (this.#failure === undefined) {
      const bytes = source.peek();
      if (bytes.length === 0) break;
      if (source.startsMessage) {
        this.#channel = bytes[0]!;
        source.consume(1);
        continue;
      }
      let count = bytes.length;
      if (this.#channel === channels.stdout) {
        if (this.#readyBytes < ready.length) {
          count = this.#takeReady(bytes);
        } else {
          count = Math.min(count, into.length - copied);
          if (count === 0) break;
          into.set(bytes.subarray(0, count), copied);
          copied += count;
          this.#answered = true;
        }
      } else if (this.#channel === channels.stderr) {
        this.#stderr.add(bytes);
      } else if (this.#channel === channels.status) {
        this.#addStatus(bytes);
      }
      source.consume(count);
    }
    return copied;
  }

  #takeReady(bytes: Uint8Array): number {
    const expected = ready.subarray(this.#readyBytes);
    const count = Math.min(bytes.length, expected.length);
    for (let i = 0; i < count; i++) {
      if (bytes[i] === expected[i]) continue;
      this.#failure = new ConnResetError(
        "Cannot go on: what runs in the pod is no bridge",
      );
    }
    this.#readyBytes += count;
    return count;
  }

  #addStatus(bytes: Uint8Array): void {
    if (this.#status.length >= statusLimit) return;
    this.#status += this.#decoder.decode(bytes, { stream: true });
  }

  /** Why the flow ended; `undefined` when the command ended well. */
  #ended(): Error | undefined {
    const { status, message = "the command failed" } = parseStatus(
      this.#status,
    );
    if (status === "Success") return undefined;
    if (!this.#stderr.isEmpty) return this.#stderr.toError(this.#answered);
    if (status === undefined) {
      return new ConnResetError("Cannot go on: the API server hung up");
    }
    return this.#answered
      ? new ConnResetError(`Cannot go on: ${message}`)
      : new RefusedError("failed", message);
  }
}

function parseStatus(text: string): { status?: string; message?: string } {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

const noRoom = new Uint8Array(0);
