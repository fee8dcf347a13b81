import { Buffer } from "node:buffer";
import { type Conn, connPair, writeAll } from "../../net/mod.ts";
import { FakeClock } from "../../net/clock_fake.ts";
import { ByteSource } from "../byte_source.ts";
import { FakeDestination } from "../destination_fake.ts";
import type { RequestHead } from "../request_head.ts";
import { serveHttp } from "../serve.ts";
import type { ServeOptions } from "../serve_options.ts";
import {
  decodeFrame,
  encodeFrame,
  frameHeadOctets,
  frameType,
} from "./frame.ts";
import type { H2Field } from "./hpack_decoder.ts";
import { HpackEncoder } from "./hpack_encoder.ts";

interface Got {
  type: number;
  flags: number;
  streamId: number;
  payload: Buffer;
}

/** A client or server of raw frames. */
export class RawPeer {
  readonly #conn: Conn;
  readonly #source: ByteSource;
  readonly #encoder = new HpackEncoder();

  constructor(conn: Conn) {
    this.#conn = conn;
    this.#source = new ByteSource(conn);
  }

  send(...frames: Uint8Array[]): Promise<void> {
    return writeAll(this.#conn, Buffer.concat(frames));
  }

  headers(streamId: number, fields: H2Field[], flags = 5): Uint8Array {
    const block = this.#encoder.encode(fields);
    return encodeFrame(frameType.headers, flags, streamId, block);
  }

  async skip(octets: number): Promise<void> {
    while (this.#source.unreadBytes < octets) await this.#source.fill();
    this.#source.consume(octets);
  }

  /** The next frame, of a type if that is told; `undefined` at the end. */
  async next(type?: number): Promise<Got | undefined> {
    for (;;) {
      const frame = decodeFrame(this.#source.unread);
      if (frame === undefined) {
        if (!await this.#source.fill().catch(() => false)) return undefined;
        continue;
      }
      const got = { ...frame, payload: Buffer.from(frame.payload) };
      this.#source.consume(frameHeadOctets + frame.payload.length);
      if (type === undefined || got.type === type) return got;
    }
  }

  end(): void {
    this.#conn.close();
  }
}

export const settings = encodeFrame(frameType.settings, 0, 0, []);

export function serveRaw(options: Partial<ServeOptions> = {}) {
  const [client, inner] = connPair();
  const app = new FakeDestination();
  const clock = new FakeClock();
  const heads: RequestHead[] = [];
  const over = serveHttp(inner, {
    route(head) {
      heads.push(head);
      return app;
    },
    otherwise: app,
    signal: new AbortController().signal,
    clock,
    ...options,
  });
  return { client, peer: new RawPeer(client), app, heads, over, clock };
}
