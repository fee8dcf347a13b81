/** How the dialer comes to a carrier: dial, greet, each within its time. */
import { type Clock, type Conn, ConnResetError } from "../net/mod.ts";
import { greet } from "./greet.ts";
import type { Intake } from "./intake.ts";
import type { Limits } from "./limits.ts";
import type { DialSessionOptions } from "./session.ts";

/** How long one attempt may take until there is a connection to greet on. */
const dialMs = 15_000;

/** A carrier whose greeting is done, and what it brought. */
export interface Dialled<T> {
  conn: Conn;
  intake: Intake;
  result: T;
}

/**
 * Opens one carrier and greets on it. When this rejects, nothing stays open.
 *
 * @throws what `dial` or `say` throws; the reason of `signal`; ConnResetError when it takes too long.
 */
export async function dialCarrier<T>(
  dial: DialSessionOptions["dial"],
  { clock, limits, signal }: {
    clock: Clock;
    limits: Limits;
    signal: AbortSignal;
  },
  say: (conn: Conn, intake: Intake) => Promise<T>,
): Promise<Dialled<T>> {
  const abort = new AbortController();
  const callOff = () => abort.abort(signal.reason);
  signal.addEventListener("abort", callOff);
  if (signal.aborted) callOff();
  const cancel = clock.after(dialMs, () => {
    const state = `no connection within ${dialMs} ms`;
    abort.abort(new ConnResetError(`Cannot dial a carrier: ${state}`));
  });
  try {
    const conn = await untilAborted(dial({ signal: abort.signal }), abort);
    cancel();
    const greeting = greet(conn, { clock, limits }, async (intake) => {
      const result = await untilAborted(say(conn, intake), abort);
      return { conn, intake, result };
    });
    return await greeting;
  } finally {
    cancel();
    signal.removeEventListener("abort", callOff);
  }
}

/** Does not wait for a dial that heeds no signal; what it opens too late is reset. */
async function untilAborted<T>(
  work: Promise<T>,
  { signal }: AbortController,
): Promise<T> {
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
  });
  try {
    return await Promise.race([work, aborted]);
  } catch (error) {
    if (signal.aborted) work.then(discard, () => {});
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function discard(opened: unknown): void {
  (opened as Partial<Conn> | undefined)?.reset?.();
}
