/** How a session comes to be: the greeting, within its time. */
import {
  type Conn,
  ConnResetError,
  systemClock,
  writeAll,
} from "../net/mod.ts";
import { Batch } from "./batch.ts";
import { type GoawayReason, goawayReason } from "./frame.ts";
import { type Own, type Peer, sayHello, sayWelcome } from "./handshake.ts";
import { Intake } from "./intake.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import { LiveSession } from "./_live_session.ts";
import { ProtocolError } from "./protocol_error.ts";
import type {
  AcceptSessionOptions,
  DialSessionOptions,
  Session,
} from "./session.ts";
import type { Role } from "./stream_table.ts";
import { IncompatibleError } from "./version.ts";

/**
 * Begins a session as the end that opened `carrier`. The session owns the carrier from then on; when this rejects, the
 * carrier is closed.
 *
 * @throws {IncompatibleError} when the two ends share no version of the protocol.
 * @throws {ProtocolError} when the peer is no tunnel.
 * @throws {ConnResetError} when the carrier breaks, or the peer is silent for {@link Limits.greetingMs}.
 */
export function dialSession(
  carrier: Conn,
  options: DialSessionOptions,
): Promise<Session> {
  const { identity } = options;
  return start("dialer", carrier, options, (intake, own) => {
    return sayHello(carrier, intake, identity, own);
  });
}

/**
 * Begins a session as the end to which `carrier` was opened. Otherwise as {@link dialSession}; the dialer's proven
 * `thumbprint` is in the session's `peer`.
 *
 * @throws {ProtocolError} "bad-signature" when the dialer does not hold the key it shows.
 */
export function acceptSession(
  carrier: Conn,
  options: AcceptSessionOptions,
): Promise<Session> {
  return start("acceptor", carrier, options, (intake, own) => {
    return sayWelcome(carrier, intake, own);
  });
}

async function start(
  role: Role,
  carrier: Conn,
  options: AcceptSessionOptions,
  greet: (intake: Intake, own: Own) => Promise<Peer>,
): Promise<Session> {
  const { product, clock = systemClock } = options;
  const limits: Limits = { ...defaultLimits, ...options.limits };
  const intake = new Intake(carrier);
  const serve = options.serve ??
    ((incoming) => incoming.refuse("unknown-target", "nothing is served here"));
  let cancel = () => {};
  const tooLate = new Promise<never>((_, reject) => {
    cancel = clock.after(limits.greetingMs, () => {
      carrier.reset();
      const state = `no answer within ${limits.greetingMs} ms`;
      reject(new ConnResetError(`Cannot greet: ${state}`));
    });
  });
  try {
    const own = { product, streams: limits.streams };
    const peer = await Promise.race([greet(intake, own), tooLate]);
    const session = new LiveSession({
      role,
      carrier,
      intake,
      peer,
      serve,
      clock,
      limits,
    });
    session.start();
    return session;
  } catch (error) {
    await Promise.race([leave(carrier, error), tooLate.catch(() => {})]);
    carrier.close();
    throw error;
  } finally {
    cancel();
  }
}

/** Tells the peer why, if that is of use to it, and ends the carrier. Never rejects. */
async function leave(carrier: Conn, error: unknown): Promise<void> {
  const reason = goawayReasonOf(error);
  if (reason === undefined) return;
  const batch = new Batch(2048);
  batch.goaway(reason, (error as Error).message);
  try {
    await writeAll(carrier, batch.bytes.subarray(0, batch.length));
    await carrier.closeWrite();
  } catch {
    // It broke; the first error tells.
  }
}

function goawayReasonOf(error: unknown): GoawayReason | undefined {
  if (error instanceof IncompatibleError) return goawayReason.incompatible;
  if (!(error instanceof ProtocolError)) return undefined;
  return error.breach === "bad-signature"
    ? goawayReason.unauthenticated
    : goawayReason.protocolError;
}
