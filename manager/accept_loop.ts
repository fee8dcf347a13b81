import { logger } from "../log.ts";
import type { Clock } from "../net/mod.ts";

const log = logger("manager");

/** How long to wait when the system can not give one more descriptor. */
const pauseMs = 100;

/** Gives each connection that `listener` accepts to `take`, until the listener is closed. Never rejects. */
export async function acceptLoop<T extends Deno.Conn>(
  listener: Pick<Deno.Listener<T>, "accept">,
  { take, clock }: { take: (conn: T) => void; clock: Clock },
): Promise<void> {
  for (;;) {
    try {
      take(await listener.accept());
    } catch (error) {
      if (error instanceof Deno.errors.BadResource) return;
      log.warn("a connection was not accepted", { error });
      await new Promise<void>((resolve) => clock.after(pauseMs, resolve));
    }
  }
}
