import { type Clock, ConnResetError } from "../net/mod.ts";
import type { ByteSource } from "./byte_source.ts";
import { sniff } from "./sniff.ts";

/**
 * Who speaks HTTP and has ended may still want its answer, and gets it if that is quick. After so long it is taken for
 * gone, as common servers do at once.
 */
export const endedMs = 1_000;

/** Whether a client that nobody reads from is still there. */
export interface ClientWatch extends Disposable {
  /** Fires when it is not, or when the signal that was given fires. */
  readonly gone: AbortSignal;
}

/**
 * Reads what the client says meanwhile, until disposed of; it waits in `client`. The end of one that speaks no HTTP says
 * nothing: it may listen.
 */
export function watchClient(
  client: ByteSource,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): ClientWatch {
  // One controller for both reasons: AbortSignal.any costs much, and leaves something with the signal for ever.
  const gone = new AbortController();
  const follow = () => gone.abort(signal.reason);
  signal.addEventListener("abort", follow, { once: true });
  if (signal.aborted) follow();
  let isOver = false;
  let callOff = () => {};
  const leave = () =>
    gone.abort(new ConnResetError("Cannot wait any longer: the client left"));
  const watch = async () => {
    while (!isOver && !client.isFull) {
      if (await client.fill()) continue;
      const protocol = sniff(client.unread);
      const isHttp = protocol === "h1" || protocol === "h2";
      if (isHttp && !isOver) callOff = clock.after(endedMs, leave);
      return;
    }
  };
  watch().catch(leave);
  return {
    gone: gone.signal,
    [Symbol.dispose]() {
      isOver = true;
      callOff();
      signal.removeEventListener("abort", follow);
    },
  };
}
