import type { Clock } from "../../net/mod.ts";
import type { ByteSource } from "../byte_source.ts";
import { Interruptible } from "../interruptible.ts";
import type { ServeLimits } from "../serve_options.ts";
import type { DrainWatch } from "./drain_watch.ts";
import { findHeadEnd, FramingError } from "./fields.ts";

/**
 * Waits for the head of a request, for as long as it takes to begin, and so long as the limit says to be whole.
 *
 * @returns Its length, or `undefined` when the client ended, or was to leave for too long, before it began.
 * @throws {FramingError} with 408 for a slow one, 431 for a long one.
 */
export async function readHead(
  client: ByteSource,
  { isFirst, drain, clock, limits }: {
    isFirst: boolean;
    drain: DrainWatch;
    clock: Clock;
    limits: ServeLimits;
  },
): Promise<number | undefined> {
  const filling = new Interruptible<boolean>();
  let callOffEnd: (() => void) | undefined;
  drain.onDrain = () => {
    callOffEnd = clock.after(limits.drainMs, () => {
      if (client.unreadBytes === 0) filling.interrupt(Promise.resolve(false));
    });
  };
  if (drain.isDrained) drain.onDrain();
  let cancel: (() => void) | undefined;
  // Some clients send an empty line after a body: RFC 9112 section 2.2.
  let maySkip = !isFirst;
  try {
    for (;;) {
      const { unread } = client;
      if (maySkip && unread.length >= 2) {
        if (unread[0] === 0x0d && unread[1] === 0x0a) client.consume(2);
        maySkip = false;
        continue;
      }
      const mayBeSkipped = maySkip && unread[0] === 0x0d;
      const end = mayBeSkipped ? undefined : findHeadEnd(unread);
      if (end !== undefined) return end;
      if (client.isFull) throw new FramingError(431, "a head is too long");
      if (unread.length > 0) {
        cancel ??= clock.after(
          limits.headMs,
          () =>
            filling.interrupt(
              Promise.reject(new FramingError(408, "its head is not whole")),
            ),
        );
      }
      if (!await filling.wait(client.fill())) {
        if (client.unreadBytes === 0) return undefined;
        throw new FramingError(400, "its head is not whole");
      }
    }
  } finally {
    cancel?.();
    callOffEnd?.();
    drain.onDrain = () => {};
  }
}
