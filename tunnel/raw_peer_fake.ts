/**
 * The other end of a session, written from SPEC.md alone: bytes in, bytes out, nothing of this room's code. It keeps
 * rules only as far as its test does.
 */
import type { Conn } from "../net/mod.ts";

type Bytes = Uint8Array<ArrayBuffer>;

export interface RawFrame {
  type: number;
  stream: number;
  body: Bytes;
}

/** `"0a 0b"` or text in quotes or numbers with their width in bytes, one behind the other. */
export function bytes(
  ...parts: (string | Uint8Array | { u: number; size: number })[]
): Bytes {
  const out: number[] = [];
  for (const part of parts) {
    if (typeof part === "string") {
      out.push(...Uint8Array.fromHex(part.replaceAll(" ", "")));
    } else if (part instanceof Uint8Array) {
      out.push(...part);
    } else {
      const digits = part.u.toString(16).padStart(part.size * 2, "0");
      out.push(...Uint8Array.fromHex(digits));
    }
  }
  return Uint8Array.from(out);
}

export const u8 = (u: number) => ({ u, size: 1 });
export const u16 = (u: number) => ({ u, size: 2 });
export const u24 = (u: number) => ({ u, size: 3 });
export const u32 = (u: number) => ({ u, size: 4 });
export const u64 = (u: number) => ({ u, size: 8 });
export const ascii = (text: string) => new TextEncoder().encode(text);

/** One frame: type, length, stream, body. */
export function frame(type: number, stream: number, body: Uint8Array): Bytes {
  return bytes(u8(type), u24(body.length), u32(stream), body);
}

const opening = bytes(
  "74702f73", // magic
  u16(1), // lowest version
  u16(1), // highest
  u8(3), // product
  ascii("raw"),
);
const rawSessionId = bytes("000102030405060708090a0b0c0d0e0f");

/** A key of a dialer. */
export interface RawKey {
  publicKey: Bytes;
  sign(context: string, welcome: Bytes, unsigned: Bytes): Promise<Bytes>;
}

export async function rawKey(): Promise<RawKey> {
  const pair = await crypto.subtle.generateKey("Ed25519", false, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  const { privateKey, publicKey } = pair;
  return {
    publicKey: new Uint8Array(await crypto.subtle.exportKey("raw", publicKey)),
    sign: async (context, welcome, unsigned) =>
      new Uint8Array(
        await crypto.subtle.sign(
          "Ed25519",
          privateKey,
          bytes(ascii(context), welcome, unsigned),
        ),
      ),
  };
}

export class RawPeer {
  readonly conn: Conn;
  #buffer: Bytes = new Uint8Array(0);

  constructor(conn: Conn) {
    this.conn = conn;
  }

  async send(...frames: Uint8Array[]): Promise<void> {
    const all = bytes(...frames);
    for (let at = 0; at < all.length;) {
      at += await this.conn.write(all.subarray(at));
    }
  }

  /** The next frame but PING, or `null` at the end of the carrier. */
  async next(): Promise<RawFrame | null> {
    for (;;) {
      const frame = await this.#nextOfAll();
      if (frame?.type !== 12) return frame;
    }
  }

  async #nextOfAll(): Promise<RawFrame | null> {
    const head = await this.#take(8);
    if (head === null) return null;
    const view = new DataView(head.buffer);
    const body = await this.#take(view.getUint32(0) & 0xffffff);
    if (body === null) throw new Error("The carrier ended inside a frame");
    return { type: head[0]!, stream: view.getUint32(4), body };
  }

  /** Plays the dialer's part of the greeting. `change` may spoil the body of HELLO before it is signed. */
  async greetAsDialer(
    { change = (hello) => hello, spoilSignature, capabilities = ["alone"] }: {
      change?: (hello: Bytes) => Bytes;
      spoilSignature?: boolean;
      capabilities?: string[] | undefined;
    } = {},
  ): Promise<{ welcome: Bytes; key: RawKey }> {
    const welcome = await this.#welcome();
    const key = await rawKey();
    const hello = change(bytes(
      opening,
      rawSessionId,
      key.publicKey,
      u32(1), // carrier
      u32(100), // streams
      u8(capabilities.length),
      ...capabilities.flatMap((word) => [u8(word.length), ascii(word)]),
    ));
    const signature = await key.sign("tp tunnel hello\0", welcome, hello);
    if (spoilSignature) signature[0]! ^= 1;
    await this.send(frame(2, 0, bytes(hello, signature)));
    return { welcome, key };
  }

  /** Plays the dialer's part for a further carrier, with this number. */
  async joinAsDialer(key: RawKey, carrier: number): Promise<void> {
    const welcome = await this.#welcome();
    const join = bytes(opening, rawSessionId, key.publicKey, u32(carrier));
    const signature = await key.sign("tp tunnel join\0", welcome, join);
    await this.send(frame(16, 0, bytes(join, signature)));
  }

  /** Plays the acceptor's part: WELCOME with these versions. Returns the body of HELLO, or of JOIN. */
  async greetAsAcceptor(
    min = 1,
    max = 1,
    capabilities = ["a", "bc", "alone"],
  ): Promise<Bytes> {
    await this.send(frame(
      1,
      0,
      bytes(
        "74702f73", // magic
        u16(min), // lowest version
        u16(max), // highest
        u8(3), // product
        ascii("raw"),
        new Uint8Array(32).fill(7), // nonce
        u32(100), // streams
        u8(capabilities.length),
        ...capabilities.flatMap((word) => [u8(word.length), ascii(word)]),
        "ffff", // of a later version
      ),
    ));
    const hello = await this.next();
    if (hello?.type !== 2 && hello?.type !== 16) {
      throw new Error("The answer is no greeting");
    }
    return hello.body;
  }

  async #welcome(): Promise<Bytes> {
    const first = await this.next();
    if (first?.type !== 1) throw new Error("The first frame is no WELCOME");
    return first.body;
  }

  async #take(count: number): Promise<Bytes | null> {
    const chunk = new Uint8Array(64 * 1024);
    while (this.#buffer.length < count) {
      const read = await this.conn.read(chunk);
      if (read === null) return null;
      this.#buffer = bytes(this.#buffer, chunk.subarray(0, read));
    }
    const taken = this.#buffer.slice(0, count);
    this.#buffer = this.#buffer.slice(count);
    return taken;
  }
}
