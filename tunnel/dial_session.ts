import { systemClock } from "../net/mod.ts";
import { dialCarrier } from "./dialing.ts";
import { type Membership, sessionIdBytes } from "./greeting.ts";
import { sayHello, sayJoin } from "./handshake.ts";
import { Keepers } from "./keepers.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import { LiveSession } from "./live_session.ts";
import type { Dial, DialSessionOptions, Session } from "./session.ts";
import { IncompatibleError } from "./version.ts";

/**
 * Begins a session as the end that opens carriers. It has its first carrier when this resolves, and sees to it itself
 * that it has one from then on.
 *
 * @throws what `dial` throws for the first carrier, or the reason of `signal`.
 * @throws {IncompatibleError} when the two ends share no version of the protocol.
 * @throws {ProtocolError} when the peer is no tunnel.
 * @throws {ConnResetError} when the carrier breaks, or the peer is silent for {@link Limits.greetingMs}.
 */
export async function dialSession(
  options: DialSessionOptions,
): Promise<Session> {
  const { identity, product, dial, clock = systemClock } = options;
  const limits: Limits = { ...defaultLimits, ...options.limits };
  const own = { product, streams: limits.streams };
  const sessionId = crypto.getRandomValues(new Uint8Array(sessionIdBytes));
  const publicKey = identity.publicKey as Uint8Array<ArrayBuffer>;
  let lastNumber = 0;
  const nextMember = (): Membership => ({
    sessionId,
    publicKey,
    carrier: ++lastNumber,
  });
  const signal = options.signal ?? new AbortController().signal;
  const first = await dialCarrier(
    dial,
    { clock, limits, signal },
    (conn, intake) =>
      sayHello(conn, intake, { identity, own, member: nextMember() }),
  );
  const session = new LiveSession({
    role: "dialer",
    peer: first.result,
    clock,
    limits,
    budget: options.budget,
    onCarrier: options.onCarrier,
  });
  if (options.serve !== undefined) session.serve = options.serve;
  if (limits.graceMs > 0) {
    session.keeper = new Keepers({
      host: session,
      dial,
      clock,
      limits,
      open,
      random: options.random ?? Math.random,
      onTrouble: options.onTrouble ?? (() => {}),
    });
  }
  const { conn, intake } = first;
  session.join(lastNumber, { conn, intake, isShortcut: false });
  return session;

  async function open(
    { dial, isShortcut, signal }: {
      dial: Dial;
      isShortcut: boolean;
      signal: AbortSignal;
    },
  ): Promise<void> {
    try {
      const { conn, intake, result } = await dialCarrier(
        dial,
        { clock, limits, signal },
        async (conn, intake) => {
          const member = nextMember();
          await sayJoin(conn, intake, { identity, own, member });
          return member.carrier;
        },
      );
      if (session.isEnded) conn.reset();
      else session.join(result, { conn, intake, isShortcut });
    } catch (error) {
      if (isShortcut || !(error instanceof IncompatibleError)) throw error;
      // Who speaks another protocol than before was started again.
      session.finish({ reason: "unknown-session", detail: error.message });
    }
  }
}
