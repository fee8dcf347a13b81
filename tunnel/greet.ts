/** The greeting of a carrier, within its time. */
import {
  type Clock,
  type Conn,
  ConnResetError,
  RefusedError,
  writeAll,
} from "../net/mod.ts";
import { Batch } from "./batch.ts";
import { type GoawayReason, goawayReason } from "./frame.ts";
import { Intake } from "./intake.ts";
import type { Limits } from "./limits.ts";
import { ProtocolError } from "./protocol_error.ts";
import { IncompatibleError } from "./version.ts";

/** A session that a carrier wants to join is not here. */
export class UnknownSessionError extends Error {
  override readonly name = "UnknownSessionError";
}

/**
 * Greets on `carrier` by `say`. When this rejects, the peer was told why, if that is of use to it, and the carrier is
 * closed.
 *
 * @throws {ConnResetError} when the carrier breaks, or the peer is silent for {@link Limits.greetingMs}.
 * @throws what `say` throws.
 */
export async function greet<T>(
  carrier: Conn,
  { clock, limits }: { clock: Clock; limits: Limits },
  say: (intake: Intake) => Promise<T>,
): Promise<T> {
  let cancel = () => {};
  const tooLate = new Promise<never>((_, reject) => {
    cancel = clock.after(limits.greetingMs, () => {
      carrier.reset();
      const state = `no answer within ${limits.greetingMs} ms`;
      reject(new ConnResetError(`Cannot greet: ${state}`));
    });
  });
  try {
    return await Promise.race([say(new Intake(carrier)), tooLate]);
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
  if (error instanceof UnknownSessionError) return goawayReason.unknownSession;
  if (error instanceof RefusedError) return goawayReason.overloaded;
  if (!(error instanceof ProtocolError)) return undefined;
  return error.breach === "bad-signature"
    ? goawayReason.unauthenticated
    : goawayReason.protocolError;
}
