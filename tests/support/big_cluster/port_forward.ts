/**
 * The server's end of a port-forward, SPDY/3.1 inside a WebSocket: as much of it as one data stream needs.
 *
 * 1. The WebSocket's frames are unmasked; their payloads are one flow of SPDY frames.
 * 2. Both streams are replied to; the data stream is joined with a TCP connection to the pod's port.
 */
import { createHash } from "node:crypto";
import { type FakeAnswer, send } from "../../../k8s/_api_server_fake.ts";

export const protocol = "SPDY/3.1+portforward.k8s.io";

/** Of what laptops send and get. */
export interface Forwarded {
  connections: number;
  up: number;
  down: number;
}

const [synStream, synReply, ping] = [1, 2, 6];
const dataStream = 3;
const fin = 1;
const bufferBytes = 128 * 1024;
/** WebSocket header and SPDY header before a payload of ours. */
const headroom = 10 + 8;

/** Takes the upgrade and joins its data stream with `port` of this host. */
export function forwardTo(
  port: number,
  { key, counted }: { key: string; counted: Forwarded },
): FakeAnswer {
  const accept = createHash("sha1")
    .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  return {
    status: 101,
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-accept": accept,
      "sec-websocket-protocol": protocol,
    },
    takeOver: async (conn) => {
      counted.connections++;
      const pod = await Deno.connect({ hostname: "127.0.0.1", port });
      pod.setNoDelay(true);
      try {
        const taken = Promise.withResolvers<void>();
        await Promise.race([
          goUp(conn, { pod, counted, onTaken: taken.resolve }),
          // The pod's first byte comes behind the reply to its stream.
          taken.promise.then(() => goDown(conn, { pod, counted })),
        ]);
      } finally {
        pod.close();
      }
    },
  };
}

interface Joined {
  pod: Deno.TcpConn;
  counted: Forwarded;
}

async function goDown(conn: Deno.Conn, { pod, counted }: Joined) {
  const buffer = new Uint8Array(headroom + bufferBytes);
  for (;;) {
    const count = await pod.read(buffer.subarray(headroom));
    const length = count ?? 0;
    const flags = count === null ? fin : 0;
    const view = new DataView(buffer.buffer);
    view.setUint32(headroom - 8, dataStream);
    view.setUint32(headroom - 4, flags << 24 | length);
    const start = writeHeader(buffer, length + 8);
    await send(conn, buffer.subarray(start, headroom + length));
    if (count === null) return;
    counted.down += length;
  }
}

/** Writes the header of an unmasked final binary frame so that it ends where SPDY begins (RFC 6455 section 5.2). */
function writeHeader(buffer: Uint8Array, length: number): number {
  const end = headroom - 8;
  const view = new DataView(buffer.buffer);
  const size = length < 126 ? 2 : length < 0x10000 ? 4 : 10;
  const start = end - size;
  buffer[start] = 0x82;
  buffer[start + 1] = size === 2 ? length : size === 4 ? 126 : 127;
  if (size === 4) view.setUint16(end - 2, length);
  if (size === 10) view.setBigUint64(end - 8, BigInt(length));
  return start;
}

async function goUp(
  conn: Deno.Conn,
  { pod, counted, onTaken }: Joined & { onTaken: () => void },
) {
  const frames = new Frames();
  for await (const bytes of payloads(conn)) {
    for (const { header, payload, isLast } of frames.take(bytes)) {
      const isControl = (header[0]! & 0x80) !== 0;
      if (isControl) {
        if (!isLast) continue;
        await answer(conn, frames.control);
        if (frames.control[11] === dataStream) onTaken();
        continue;
      }
      counted.up += payload.length;
      await send(pod, payload);
      if (isLast && header[4]! & fin && header[3] === dataStream) {
        await pod.closeWrite();
      }
    }
  }
}

/** Replies to a stream's opening, answers a ping. */
async function answer(conn: Deno.Conn, frame: Uint8Array): Promise<void> {
  const type = frame[3];
  if (type === synStream) {
    const reply = [0x80, 3, 0, synReply, 0, 0, 0, 4];
    const id = frame.subarray(8, 12);
    await send(conn, new Uint8Array([0x82, 12, ...reply, ...id]));
  } else if (type === ping) {
    await send(conn, new Uint8Array([0x82, frame.length, ...frame]));
  }
}

interface Piece {
  header: Uint8Array;
  payload: Uint8Array;
  /** Whether the frame ends with it. */
  isLast: boolean;
}

/** Cuts the flow of SPDY frames into pieces that lie within one frame; control frames are kept whole. */
class Frames {
  /** The control frame that the last piece belongs to, as far as it has come. */
  control = new Uint8Array(0);
  readonly #header = new Uint8Array(8);
  #have = 0;
  #missing = 0;

  *take(bytes: Uint8Array): Generator<Piece> {
    for (let at = 0; at < bytes.length;) {
      if (this.#have < 8) {
        const some = bytes.subarray(at, at + 8 - this.#have);
        this.#header.set(some, this.#have);
        this.#have += some.length;
        at += some.length;
        if (this.#have < 8) return;
        const view = new DataView(this.#header.buffer);
        this.#missing = view.getUint32(4) & 0xffffff;
        this.control = this.#header.slice();
        if (this.#missing > 0) continue;
      }
      const payload = bytes.subarray(at, at + this.#missing);
      at += payload.length;
      this.#missing -= payload.length;
      const header = this.#header;
      if (header[0]! & 0x80) {
        this.control = new Uint8Array([...this.control, ...payload]);
      }
      const isLast = this.#missing === 0;
      if (isLast) this.#have = 0;
      yield { header, payload, isLast };
    }
  }
}

/** Payloads of binary frames, unmasked (RFC 6455 section 5.3), as they arrive; ends with the connection. */
async function* payloads(conn: Deno.Conn): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(bufferBytes);
  const key = new Uint8Array(4);
  let [from, to] = [0, 0];
  const fill = async (needed: number): Promise<boolean> => {
    if (from > 0) buffer.copyWithin(0, from, to);
    [from, to] = [0, to - from];
    while (to < needed) {
      const count = await conn.read(buffer.subarray(to));
      if (count === null) return false;
      to += count;
    }
    return true;
  };
  for (;;) {
    if (to - from < 2 && !await fill(2)) return;
    const short = buffer[from + 1]! & 0x7f;
    const size = (short < 126 ? 2 : short === 126 ? 4 : 10) + 4;
    if (to - from < size && !await fill(size)) return;
    const opcode = buffer[from]! & 0x0f;
    const view = new DataView(buffer.buffer, from);
    let missing = short === 126
      ? view.getUint16(2)
      : short === 127
      ? Number(view.getBigUint64(2))
      : short;
    key.set(buffer.subarray(from + size - 4, from + size));
    from += size;
    for (let turn = 0; missing > 0;) {
      if (from === to && !await fill(1)) return;
      const bytes = buffer.subarray(from, Math.min(to, from + missing));
      for (let n = 0; n < bytes.length; n++) bytes[n]! ^= key[turn++ & 3]!;
      from += bytes.length;
      missing -= bytes.length;
      if (opcode === 2 || opcode === 0) yield bytes;
    }
    if (opcode === 8) return;
  }
}
