import type { Clock } from "../../net/mod.ts";
import type { ByteSource } from "../byte_source.ts";
import type { ServeLimits } from "../serve_options.ts";
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
    drain: AbortSignal | undefined;
    clock: Clock;
    limits: ServeLimits;
  },
): Promise<number | undefined> {
  const late = Promise.withResolvers<false>();
  let callOffEnd: (() => void) | undefined;
  const onDrain = () => {
    callOffEnd = clock.after(limits.drainMs, () => {
      if (client.unreadBytes === 0) late.resolve(false);
    });
  };
  if (drain?.aborted) onDrain();
  drain?.addEventListener("abort", onDrain);
  late.promise.catch(() => {});
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
          () => late.reject(new FramingError(408, "its head is not whole")),
        );
      }
      if (!await Promise.race([client.fill(), late.promise])) {
        if (client.unreadBytes === 0) return undefined;
        throw new FramingError(400, "its head is not whole");
      }
    }
  } finally {
    cancel?.();
    callOffEnd?.();
    drain?.removeEventListener("abort", onDrain);
  }
}
