import type { Clock } from "../net/mod.ts";

/** How long to wait when the system can not give one more descriptor. */
const pauseMs = 100;

/** Gives each connection that `listener` accepts to `take`, until the listener is closed. Never rejects. */
export async function acceptLoop<T extends Deno.Conn>(
  listener: Pick<Deno.Listener<T>, "accept">,
  { take, onTrouble, clock }: {
    take: (conn: T) => void;
    /** Told why one was not accepted; the next one may be. */
    onTrouble: (error: unknown) => void;
    clock: Clock;
  },
): Promise<void> {
  for (;;) {
    try {
      take(await listener.accept());
    } catch (error) {
      if (error instanceof Deno.errors.BadResource) return;
      onTrouble(error);
      await new Promise<void>((resolve) => clock.after(pauseMs, resolve));
    }
  }
}
