import { logger } from "../log.ts";
import type { Clock } from "../net/mod.ts";
import { acceptLoop as accept } from "../tcp/mod.ts";

const log = logger("manager");

/** Gives each connection that `listener` accepts to `take`, until the listener is closed. Never rejects. */
export function acceptLoop<T extends Deno.Conn>(
  listener: Pick<Deno.Listener<T>, "accept">,
  { take, clock }: { take: (conn: T) => void; clock: Clock },
): Promise<void> {
  return accept(listener, {
    ...{ take, clock },
    onTrouble: (error) => log.warn("a connection was not accepted", { error }),
  });
}
