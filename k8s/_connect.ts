/** TCP in a network that was silent a moment ago. */
import { type Clock, pause, systemClock, unlessAborted } from "../net/mod.ts";

/**
 * For how long the kernel is left to itself, in ms. It repeats what is not answered after 1, 3, 7 and 15 seconds, so that a
 * network that is back would go unnoticed for about as long as it was gone.
 */
const patienceMs = 2_000;

export interface ConnectOptions {
  hostname: string;
  port: number;
  signal: AbortSignal;
  clock?: Clock;
}

/**
 * What `open` resolves to, which connects to that address. When that does not come about within 2 s, somebody knocks at the
 * address anew every 2 s; as soon as that is answered `open` is called again. What comes too late is closed.
 *
 * @throws what `open` throws, or connecting does; the signal's reason.
 */
export async function connectSoon<T extends { close(): void }>(
  open: () => Promise<T>,
  { clock = systemClock, signal, ...address }: ConnectOptions,
): Promise<T> {
  const over = new AbortController();
  const stop = () => over.abort(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const attempts = [open()];
  let winner: T | undefined;
  const openLater = async () => {
    await pause(patienceMs, { clock, signal: over.signal });
    await knock({ ...address, clock, signal: over.signal });
    const attempt = open();
    attempts.push(attempt);
    return await attempt;
  };
  try {
    const first = Promise.race([attempts[0]!, openLater()]);
    return winner = await unlessAborted(first, signal);
  } finally {
    signal.removeEventListener("abort", stop);
    over.abort();
    for (const attempt of attempts) {
      attempt.then((one) => one !== winner && one.close(), () => {});
    }
  }
}

/** Resolves when a connection to the address comes about. */
async function knock(
  { hostname, port, signal, clock }: Required<ConnectOptions>,
): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const attempt = new AbortController();
    const stop = () => attempt.abort();
    signal.addEventListener("abort", stop, { once: true });
    let isLate = false;
    const cancel = clock.after(patienceMs, () => {
      isLate = true;
      stop();
    });
    try {
      const { signal } = attempt;
      (await Deno.connect({ hostname, port, signal })).close();
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (!isLate) throw error;
    } finally {
      cancel();
      signal.removeEventListener("abort", stop);
    }
  }
}
