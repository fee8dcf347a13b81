/** The bodies of WELCOME, HELLO and JOIN; SPEC.md section 2. */
import {
  encodeText,
  readDetail,
  readU16,
  readU32,
  writeU16,
  writeU32,
} from "./_bytes.ts";
import { ProtocolError } from "./protocol_error.ts";
import type { VersionRange } from "./version.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** "tp/s". */
const magic = 0x74702f73;
const productAt = 8;
export const nonceBytes = 32;
export const sessionIdBytes = 16;
const publicKeyBytes = 32;
const signatureBytes = 64;
const numberBytes = 4;
const contexts = {
  hello: new TextEncoder().encode("tp tunnel hello\0"),
  join: new TextEncoder().encode("tp tunnel join\0"),
};

/** With what a greeting begins, in every version of the protocol. */
export interface Opening {
  versions: VersionRange;
  /** Such as `tp/0.1.0`; at most 255 bytes. */
  product: string;
}

/** What both greetings tell. */
export interface Greeting extends Opening {
  /** How many streams the receiver of the greeting may have open at a time. */
  streams: number;
  /** Each at most 255 bytes, at most 255 of them. */
  capabilities: ReadonlySet<string>;
}

export interface Welcome extends Greeting {
  /** 32 fresh random bytes. */
  nonce: Uint8Array;
}

/** Which carrier of which session this is, and whose. */
export interface Membership {
  /** 16 random bytes. */
  sessionId: Uint8Array;
  /** 32 bytes. */
  publicKey: Bytes;
  /** Number of the carrier. */
  carrier: number;
}

export interface Hello extends Greeting, Membership {}

export interface Join extends Opening, Membership {}

/** A greeting as it was signed. */
export interface Signed<T> {
  said: T;
  unsigned: Bytes;
  signature: Bytes;
}

export function encodeWelcome(welcome: Welcome): Bytes {
  return join(encodeOpening(welcome), welcome.nonce, encodeRest(welcome));
}

/** @throws {ProtocolError} bad-greeting when it is no WELCOME of this version. */
export function decodeWelcome(body: Uint8Array): Welcome {
  const reader = new GreetingReader(body);
  return {
    ...reader.opening(),
    nonce: reader.take(nonceBytes),
    ...reader.rest(),
  };
}

/** The body of HELLO up to its signature. */
export function encodeHello(hello: Hello): Bytes {
  return join(
    encodeOpening(hello),
    encodeMembership(hello),
    encodeRest(hello),
  );
}

/** The body of JOIN up to its signature. */
export function encodeJoin(one: Join): Bytes {
  return join(encodeOpening(one), encodeMembership(one));
}

/**
 * Takes the whole body of HELLO. The signature is not checked.
 *
 * @throws {ProtocolError} bad-greeting when it is no HELLO of this version.
 */
export function decodeHello(body: Uint8Array): Signed<Hello> {
  return decodeSigned(body, (reader) => ({
    ...reader.opening(),
    ...reader.membership(),
    ...reader.rest(),
  }));
}

/** As {@link decodeHello}, for JOIN. */
export function decodeJoin(body: Uint8Array): Signed<Join> {
  return decodeSigned(body, (reader) => ({
    ...reader.opening(),
    ...reader.membership(),
  }));
}

function decodeSigned<T>(
  body: Uint8Array,
  read: (reader: GreetingReader) => T,
): Signed<T> {
  const signatureAt = Math.max(0, body.length - signatureBytes);
  const unsigned = new Uint8Array(body.subarray(0, signatureAt));
  const signature = new Uint8Array(body.subarray(signatureAt));
  return { said: read(new GreetingReader(unsigned)), unsigned, signature };
}

/**
 * The beginning of a greeting of any version.
 *
 * @throws {ProtocolError} bad-greeting when it is none.
 */
export function decodeOpening(body: Uint8Array): Opening {
  return new GreetingReader(body).opening();
}

/** What the dialer signs for HELLO or JOIN. */
export function signedBy(
  kind: keyof typeof contexts,
  welcomeBody: Bytes,
  unsigned: Bytes,
): Bytes {
  return join(contexts[kind], welcomeBody, unsigned);
}

/** All bytes of `parts`, one behind the other. */
export function join(...parts: Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, one) => sum + one.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function encodeOpening({ versions, product }: Opening): Uint8Array {
  const bytes = new Uint8Array(productAt);
  writeU32(bytes, 0, magic);
  writeU16(bytes, 4, versions.min);
  writeU16(bytes, 6, versions.max);
  return join(bytes, encodeWord(product));
}

function encodeMembership(one: Membership): Uint8Array {
  const number = new Uint8Array(numberBytes);
  writeU32(number, 0, one.carrier);
  return join(one.sessionId, one.publicKey, number);
}

function encodeRest({ streams, capabilities }: Greeting): Uint8Array {
  const bytes = new Uint8Array(4);
  writeU32(bytes, 0, streams);
  const words = [...capabilities].map(encodeWord);
  return join(bytes, Uint8Array.of(words.length), ...words);
}

function encodeWord(word: string): Uint8Array {
  const text = encodeText(word, 255);
  return join(Uint8Array.of(text.length), text);
}

/** Reads a greeting from its beginning on. */
class GreetingReader {
  readonly #body: Uint8Array;
  #at = 0;

  constructor(body: Uint8Array) {
    this.#body = body;
  }

  opening(): Opening {
    const head = this.take(productAt);
    if (readU32(head, 0) !== magic) {
      throw new ProtocolError("bad-greeting", "the peer is no tunnel of tp");
    }
    return {
      versions: { min: readU16(head, 4), max: readU16(head, 6) },
      product: this.#word(),
    };
  }

  membership(): Membership {
    return {
      sessionId: this.take(sessionIdBytes),
      publicKey: this.take(publicKeyBytes),
      carrier: readU32(this.take(numberBytes), 0),
    };
  }

  /** What a later version adds behind it is skipped. */
  rest(): Pick<Greeting, "streams" | "capabilities"> {
    const streams = readU32(this.take(4), 0);
    const capabilities = new Set<string>();
    for (let left = this.take(1)[0]!; left > 0; left--) {
      capabilities.add(this.#word());
    }
    return { streams, capabilities };
  }

  take(count: number): Bytes {
    const end = this.#at + count;
    if (end > this.#body.length) {
      throw new ProtocolError("bad-greeting", "the greeting is cut off");
    }
    const taken = new Uint8Array(this.#body.subarray(this.#at, end));
    this.#at = end;
    return taken;
  }

  #word(): string {
    return readDetail(this.take(this.take(1)[0]!));
  }
}
