/** The two sides of the greeting; SPEC.md section 2. */
import { type Conn, writeAll } from "../net/mod.ts";
import { Batch } from "./batch.ts";
import { ownCapabilities } from "./capability.ts";
import { frameType, headerBytes, maxGreetingBytes } from "./frame.ts";
import {
  decodeHello,
  decodeJoin,
  decodeOpening,
  decodeWelcome,
  encodeHello,
  encodeJoin,
  encodeWelcome,
  type Greeting,
  join,
  type Membership,
  nonceBytes,
  signedBy,
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

/** The proven words of a dialer: of a fresh session, with who it is, or of one that its carrier joins. */
export interface Arrival {
  /** Names the session: its id and the key that it belongs to. */
  session: string;
  carrier: number;
  peer?: Peer;
}

/**
 * The dialer's side: reads WELCOME, answers HELLO for a fresh session.
 *
 * @throws {IncompatibleError} after HELLO was sent, so that the acceptor knows.
 * @throws {ProtocolError} when the peer is no tunnel.
 * @throws {ConnResetError} when the carrier ends.
 */
export async function sayHello(
  carrier: Conn,
  intake: Intake,
  { identity, own, member }: {
    identity: Identity;
    own: Own;
    member: Membership;
  },
): Promise<Peer> {
  const { body: welcome } = await intake.greeting(frameType.welcome);
  const { versions, product } = decodeOpening(welcome);
  const unsigned = encodeHello({
    versions: protocolVersions,
    capabilities: ownCapabilities,
    ...member,
    ...own,
  });
  const signature = await identity.sign(signedBy("hello", welcome, unsigned));
  await send(carrier, frameType.hello, join(unsigned, signature));
  commonVersion(protocolVersions, versions, product);
  return toPeer(decodeWelcome(welcome));
}

/** As {@link sayHello}: answers JOIN, for a further carrier of a session. */
export async function sayJoin(
  carrier: Conn,
  intake: Intake,
  { identity, own, member }: {
    identity: Identity;
    own: Own;
    member: Membership;
  },
): Promise<void> {
  const { body: welcome } = await intake.greeting(frameType.welcome);
  const { versions, product } = decodeOpening(welcome);
  const unsigned = encodeJoin({
    versions: protocolVersions,
    product: own.product,
    ...member,
  });
  const signature = await identity.sign(signedBy("join", welcome, unsigned));
  await send(carrier, frameType.join, join(unsigned, signature));
  commonVersion(protocolVersions, versions, product);
}

/**
 * The acceptor's side: sends WELCOME, reads and checks HELLO or JOIN.
 *
 * @throws As {@link sayHello}; ProtocolError also when the signature does not fit.
 */
export async function sayWelcome(
  carrier: Conn,
  intake: Intake,
  own: Own,
): Promise<Arrival> {
  const welcome = encodeWelcome({
    versions: protocolVersions,
    nonce: crypto.getRandomValues(new Uint8Array(nonceBytes)),
    capabilities: ownCapabilities,
    ...own,
  });
  await send(carrier, frameType.welcome, welcome);
  const { type, body } = await intake.greeting(frameType.hello, frameType.join);
  const { versions, product } = decodeOpening(body);
  commonVersion(protocolVersions, versions, product);
  if (type === frameType.join) {
    const { said, unsigned, signature } = decodeJoin(body);
    const signed = signedBy("join", welcome, unsigned);
    const { session, carrier } = await prove(said, signature, signed);
    return { session, carrier };
  }
  const { said, unsigned, signature } = decodeHello(body);
  const signed = signedBy("hello", welcome, unsigned);
  const { session, carrier: number, thumbprint } = await prove(
    said,
    signature,
    signed,
  );
  return { session, carrier: number, peer: { ...toPeer(said), thumbprint } };
}

/** @throws {ProtocolError} bad-signature */
async function prove(
  { publicKey, sessionId, carrier }: Membership,
  signature: Uint8Array<ArrayBuffer>,
  signed: Uint8Array<ArrayBuffer>,
) {
  if (!await isSignedBy(publicKey, signature, signed)) {
    throw new ProtocolError("bad-signature", "the greeting is signed wrongly");
  }
  const thumbprint = await thumbprintOf(publicKey);
  return { session: `${sessionId.toHex()}.${thumbprint}`, carrier, thumbprint };
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
