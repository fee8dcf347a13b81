/** The two sides of the greeting; SPEC.md section 2. */
import { type Conn, writeAll } from "../net/mod.ts";
import { Batch } from "./batch.ts";
import { frameType, headerBytes, maxGreetingBytes } from "./frame.ts";
import {
  decodeHello,
  decodeOpening,
  decodeWelcome,
  encodeHello,
  encodeWelcome,
  type Greeting,
  join,
  nonceBytes,
  sessionIdBytes,
  signedByHello,
} from "./greeting.ts";
import { type Identity, isSignedBy, thumbprintOf } from "./identity.ts";
import type { Intake } from "./intake.ts";
import { ProtocolError } from "./protocol_error.ts";
import { commonVersion, protocolVersions } from "./version.ts";

/** Who is at the other end of a session. */
export interface Peer {
  /** What it says it is, such as `tp/0.1.0`. */
  readonly product: string;
  /** The version of the protocol that both speak. */
  readonly protocol: number;
  /** The proven key of the dialer; undefined at the dialer, as the acceptor proves none. */
  readonly thumbprint?: string;
  /** What it can do beyond the version. */
  readonly capabilities: ReadonlySet<string>;
  /** How many streams this end may have open at a time. */
  readonly streams: number;
}

/** What this end says about itself. */
export type Own = Pick<Greeting, "streams" | "product">;

const noCapabilities: ReadonlySet<string> = new Set();

/**
 * The dialer's side: reads WELCOME, answers HELLO.
 *
 * @throws {IncompatibleError} after HELLO was sent, so that the acceptor knows.
 * @throws {ProtocolError} when the peer is no tunnel.
 * @throws {ConnResetError} when the carrier ends.
 */
export async function sayHello(
  carrier: Conn,
  intake: Intake,
  identity: Identity,
  own: Own,
): Promise<Peer> {
  const welcomeBody = await intake.greeting(frameType.welcome);
  const { versions, product } = decodeOpening(welcomeBody);
  const unsigned = encodeHello({
    versions: protocolVersions,
    sessionId: crypto.getRandomValues(new Uint8Array(sessionIdBytes)),
    publicKey: identity.publicKey as Uint8Array<ArrayBuffer>,
    capabilities: noCapabilities,
    ...own,
  });
  const signature = await identity.sign(signedByHello(welcomeBody, unsigned));
  await send(carrier, frameType.hello, join(unsigned, signature));
  commonVersion(protocolVersions, versions, product);
  return toPeer(decodeWelcome(welcomeBody));
}

/**
 * The acceptor's side: sends WELCOME, reads and checks HELLO.
 *
 * @throws As {@link sayHello}; ProtocolError also when the signature does not fit.
 */
export async function sayWelcome(
  carrier: Conn,
  intake: Intake,
  own: Own,
): Promise<Peer> {
  const welcomeBody = encodeWelcome({
    versions: protocolVersions,
    nonce: crypto.getRandomValues(new Uint8Array(nonceBytes)),
    capabilities: noCapabilities,
    ...own,
  });
  await send(carrier, frameType.welcome, welcomeBody);
  const body = await intake.greeting(frameType.hello);
  const { versions, product } = decodeOpening(body);
  commonVersion(protocolVersions, versions, product);
  const { hello, unsigned, signature } = decodeHello(body);
  const signed = signedByHello(welcomeBody, unsigned);
  if (!await isSignedBy(hello.publicKey, signature, signed)) {
    throw new ProtocolError("bad-signature", "HELLO has a wrong signature");
  }
  return { ...toPeer(hello), thumbprint: await thumbprintOf(hello.publicKey) };
}

function toPeer(greeting: Greeting): Peer {
  const { versions, product, capabilities, streams } = greeting;
  const protocol = commonVersion(protocolVersions, versions);
  return { product, protocol, capabilities, streams };
}

async function send(carrier: Conn, type: number, body: Uint8Array) {
  const batch = new Batch(headerBytes + maxGreetingBytes);
  batch.greeting(type, body);
  await writeAll(carrier, batch.bytes.subarray(0, batch.length));
}
