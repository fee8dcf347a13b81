import type { Conn, Datagrams, Endpoint, Ip, Refusal } from "../net/mod.ts";
import { RefusedError } from "../net/mod.ts";

export interface DialOptions {
  /** The app's end. */
  from: Endpoint;
  /** The app gave up, or the VPN stops. */
  signal: AbortSignal;
}

/** Opens a TCP connection for an app. Rejects `RefusedError`, which the app's kernel is told. */
export type Dial = (to: Endpoint, options: DialOptions) => Promise<Conn>;

/** Opens a flow of datagrams for an app. Rejects `RefusedError`, which the app's kernel is told. */
export type DialDatagrams = (
  to: Endpoint,
  options: DialOptions,
) => Promise<Datagrams>;

/**
 * Opens a flow of ICMP echo to an address for an app: requests go in, replies come out (`net/packet/echo.ts`). Rejects
 * `RefusedError`, which the app is told; `unknown-target` where nobody can ask, of which it hears nothing.
 */
export type DialEchoes = (to: Ip, options: DialOptions) => Promise<Datagrams>;

/** What a dial came to. */
export type DialResult<T> = { opened: T } | { refusal: Refusal };

/**
 * Dials and waits for the answer, but no longer than until `signal`: whoever dials may be slow to notice it. What is
 * opened after that is given to `undo`. Never rejects.
 */
export function settleDial<T>(
  dial: (signal: AbortSignal) => Promise<T>,
  { signal, undo }: { signal: AbortSignal; undo: (opened: T) => void },
): Promise<DialResult<T>> {
  return new Promise((resolve) => {
    const gone = () => resolve({ refusal: "gone" });
    if (signal.aborted) return gone();
    signal.addEventListener("abort", gone, { once: true });
    Promise.resolve(signal).then(dial).then(
      (opened) => signal.aborted ? undo(opened) : resolve({ opened }),
      (error) =>
        resolve({
          refusal: error instanceof RefusedError ? error.refusal : "failed",
        }),
    ).finally(() => signal.removeEventListener("abort", gone));
  });
}
