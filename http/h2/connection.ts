/**
 * One HTTP/2 connection, as its server or as its client (RFC 9113):
 *
 * 1. Frames are read as they come and never wait for anything: what can't go on lies in the lanes of its streams, which
 *    the windows bound.
 * 2. Heads are checked before anybody sees them; a malformed one ends its stream.
 * 3. What a lane's taker has consumed is credited to the peer's stream.
 * 4. What goes out waits in the {@link Outbox}.
 */
import type { Clock } from "../../net/mod.ts";
import type { ByteSource } from "../byte_source.ts";
import { H2Error } from "./error.ts";
import {
  checkLength,
  codeOf,
  decodeFrame,
  flag,
  type Frame,
  frameHeadOctets,
  frameType,
  goAwayFrame,
  readUint32,
  resetFrame,
  windowFrame,
} from "./frame.ts";
import { ControlFrames } from "./control_frames.ts";
import { takeData } from "./take_data.ts";
import { finish, type H2Handlers, takeHead } from "./take_head.ts";
import { type HeaderBlock, HeaderBlocks } from "./header_block.ts";
import { type H2Field, HpackDecoder } from "./hpack_decoder.ts";
import { Outbox } from "./outbox.ts";
import { idleRate, RateBound, resetRate } from "./rate_bound.ts";
import { ReceiveCredit } from "./receive_credit.ts";
import { firstPeerSettings, greeting, maxStreams } from "./settings.ts";
import { type H2Stream, maxWaitingHeads } from "./stream.ts";
import { H2Streams } from "./streams.ts";

/** How long the peer may take to read the last frames. */
const lastWordMs = 1_000;

export class H2Connection {
  readonly #source: ByteSource;
  readonly #clock: Clock;
  readonly #isServer: boolean;
  readonly #handlers: H2Handlers;
  readonly #outbox: Outbox;
  readonly #decoder = new HpackDecoder();
  readonly #blocks: HeaderBlocks;
  readonly #credit = new ReceiveCredit((octets) =>
    this.#outbox.send(windowFrame(0, octets))
  );
  readonly #streams: H2Streams;
  readonly #peer = { ...firstPeerSettings };
  readonly #control: ControlFrames;
  readonly #resets: RateBound;
  readonly #idleFrames: RateBound;
  #hasSettings = false;
  /** Whether new requests may be sent; not after GOAWAY. */
  isOpen = true;
  /** Whether the peer has sent GOAWAY. */
  isToldToLeave = false;
  #isRefusing = false;

  constructor(
    source: ByteSource,
    { role, clock, handlers }: {
      role: "server" | "client";
      clock: Clock;
      handlers: H2Handlers;
    },
  ) {
    this.#source = source;
    this.#clock = clock;
    this.#blocks = new HeaderBlocks({ clock, onLate: () => source.reset() });
    this.#isServer = role === "server";
    this.#handlers = handlers;
    this.#outbox = new Outbox(
      source,
      (stream) => this.#streams.closeIfDone(stream),
    );
    this.#resets = new RateBound("resets", { clock, ...resetRate });
    this.#idleFrames = new RateBound("idle frames", { clock, ...idleRate });
    const onRoom = () => this.#handlers.onRoom?.();
    this.#streams = new H2Streams({
      isServer: this.#isServer,
      outbox: this.#outbox,
      credit: this.#credit,
      idleFrames: this.#idleFrames,
      onRoom,
    });
    this.#control = new ControlFrames({
      outbox: this.#outbox,
      peer: this.#peer,
      streams: this.#streams,
      idleFrames: this.#idleFrames,
      onRoom,
      onGoAway: (lastId) => this.#onGoAway(lastId),
    });
    this.#outbox.queue(greeting(role));
  }

  /** Whether one more request may be sent right away. */
  get hasRoom(): boolean {
    return this.isOpen && this.#streams.size < this.#peer.maxStreams;
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** Runs until the connection is over, whose streams are then reset. Never rejects. */
  async run(): Promise<void> {
    const sending = this.#outbox.run()
      .then(() => this.#source.closeWrite())
      .catch(() => this.#source.reset());
    let code = codeOf("none");
    try {
      await this.#read();
    } catch (error) {
      code = error instanceof H2Error ? error.code : codeOf("internal");
    }
    this.#blocks.stop();
    this.isOpen = false;
    this.#streams.breakAll();
    this.#handlers.onRoom?.();
    this.#outbox.send(this.#goAway(code));
    this.#outbox.stop();
    const cancel = this.#clock.after(lastWordMs, () => this.#source.reset());
    await sending;
    cancel();
    this.#source.close();
  }

  /** Sends a request. Only with {@link H2Connection.hasRoom}; the caller sets callbacks and lane. */
  request(fields: readonly H2Field[], ends: boolean): H2Stream {
    const stream = this.#streams.begin(this.#peer.initialWindow);
    // Ids end some day; the next request then goes to a fresh connection.
    if (!this.#streams.hasIds) this.isOpen = false;
    this.#sendHead(stream, fields, ends);
    return stream;
  }

  respond(stream: H2Stream, fields: readonly H2Field[], ends: boolean): void {
    if (stream.heads.length >= maxWaitingHeads) {
      this.#outbox.send(resetFrame(stream.id, codeOf("calm")));
      this.#streams.break(stream, codeOf("calm"));
    } else this.#sendHead(stream, fields, ends);
  }

  /** Breaks a stream off. Nothing happens to one that is closed. */
  reset(stream: H2Stream, code: number): void {
    this.#streams.reset(stream, code);
  }

  /** Of a server: takes no further requests. Clients ask elsewhere for those that are on their way. */
  refuseFurther(): void {
    this.#isRefusing = true;
    this.#outbox.send(this.#goAway(codeOf("none")));
  }

  /** Of a client: sends no further requests, and lets go of the connection when those that were sent are over. */
  retire(): void {
    this.isOpen = false;
    this.#handlers.onRoom?.();
  }

  /** Ends the connection after what is to be sent, and its peer's end. */
  end(): void {
    this.#outbox.stop();
  }

  /** Lets go of the connection; its streams are reset. */
  close(): void {
    this.#source.close();
  }

  #goAway(code: number): Uint8Array {
    return goAwayFrame(this.#isServer ? this.#streams.lastId : 0, code);
  }

  /** There is more in the stream's outgoing lane. */
  wake(stream: H2Stream): void {
    this.#outbox.wake(stream);
  }

  #sendHead(stream: H2Stream, fields: readonly H2Field[], ends: boolean): void {
    if (stream.isClosed) return;
    stream.heads.push({ fields, ends });
    this.#outbox.wake(stream);
  }

  async #read(): Promise<void> {
    const source = this.#source;
    for (;;) {
      const frame = decodeFrame(source.unread);
      if (frame === undefined) {
        if (!await source.fill()) return;
        continue;
      }
      try {
        this.#handle(frame);
      } catch (error) {
        if (!(error instanceof H2Error) || error.streamId === 0) throw error;
        this.#fail(error);
      }
      source.consume(frameHeadOctets + frame.payload.length);
    }
  }

  /** The peer broke the rules on one stream. */
  #fail({ streamId, code }: H2Error): void {
    this.#resets.spend();
    const stream = this.#streams.get(streamId);
    if (stream === undefined) {
      return this.#outbox.send(resetFrame(streamId, code));
    }
    this.#outbox.send(resetFrame(streamId, code));
    this.#streams.break(stream, code);
  }

  #handle(frame: Frame): void {
    if (!this.#hasSettings) {
      if (frame.type !== frameType.settings || frame.flags & flag.ack) {
        throw new H2Error("protocol", "SETTINGS do not come first");
      }
      this.#hasSettings = true;
    }
    const block = this.#blocks.take(frame);
    if (block === "more") return;
    if (block !== undefined) return this.#onBlock(block);
    if (frame.type === frameType.data) this.#onData(frame);
    else if (frame.type === frameType.resetStream) this.#onReset(frame);
    else this.#control.handle(frame);
  }

  #onBlock({ streamId, endsStream, octets }: HeaderBlock): void {
    const fields = this.#decoder.decode(octets);
    let stream = this.#streams.get(streamId);
    if (stream === undefined) {
      if (!this.#isServer || streamId <= this.#streams.lastId) {
        return this.#streams.ignoreClosed(streamId);
      }
      stream = this.#streams.accept(streamId, {
        sendWindow: this.#peer.initialWindow,
        most: this.#isRefusing ? 0 : maxStreams,
      });
    }
    if (stream.hasReceivedEnd) {
      throw new H2Error("stream-closed", "HEADERS after the end", streamId);
    }
    try {
      takeHead(stream, fields, {
        ends: endsStream,
        isServer: this.#isServer,
        handlers: this.#handlers,
      });
      this.#streams.closeIfDone(stream);
    } catch (error) {
      if (!(error instanceof H2Error)) throw error;
      throw new H2Error("protocol", error.message, streamId);
    }
  }

  #onData(frame: Frame): void {
    const { streamId, flags, payload } = frame;
    if (streamId === 0) throw new H2Error("protocol", "DATA on stream 0");
    if (!this.#credit.receive(payload.length)) {
      throw new H2Error("flow-control", "more than the connection's window");
    }
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return this.#streams.ignoreClosed(streamId);
    const ends = (flags & flag.endStream) !== 0;
    if (payload.length === 0 && !ends) this.#idleFrames.spend();
    const octets = takeData(stream, frame);
    // Padding has no room in the lane, and is gone at once.
    this.#credit.hold(payload.length);
    if (payload.length > octets.length) {
      this.#streams.consumed(stream, payload.length - octets.length);
    }
    stream.incoming.push(octets);
    if (!ends) return;
    finish(stream);
    this.#streams.closeIfDone(stream);
  }

  #onReset(frame: Frame): void {
    checkLength(frame, 4);
    const { streamId, payload } = frame;
    if (streamId === 0) throw new H2Error("protocol", "RST_STREAM on stream 0");
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return this.#streams.ignoreClosed(streamId);
    // An answered request costs nothing to cancel.
    if (this.#isServer && !stream.hasSentEnd) this.#resets.spend();
    this.#streams.break(stream, readUint32(payload, 0));
  }

  #onGoAway(lastId: number): void {
    this.isOpen = false;
    this.isToldToLeave = true;
    if (this.#isServer) return;
    for (const stream of this.#streams.all()) {
      if (stream.id > lastId) {
        this.#streams.break(stream, codeOf("refused-stream"));
      }
    }
    this.#handlers.onRoom?.();
  }
}
