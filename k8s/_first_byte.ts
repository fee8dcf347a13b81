import {
  type Clock,
  type Conn,
  ConnBehind,
  ConnResetError,
} from "../net/mod.ts";
import { withDeadline } from "./_deadline.ts";
import { ObstacleError } from "./unreachable.ts";

/** How long the first byte may take, in ms. */
const firstByteMs = 5_000;
/** More than an app says at first. */
const bufferBytes = 1024;

/**
 * The flow, once its peer has said something.
 *
 * @throws {RefusedError | ConnResetError | ObstacleError} why it says nothing; the flow is closed by then.
 */
export async function withFirstByte(
  conn: Conn,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<Conn> {
  const buffer = new Uint8Array(bufferBytes);
  const close = () => conn.close();
  try {
    const count = await withDeadline(
      { ms: firstByteMs, clock, signal },
      async (signal) => {
        signal.addEventListener("abort", close, { once: true });
        return await conn.read(buffer)
          .finally(() => signal.removeEventListener("abort", close));
      },
    );
    if (count === null) {
      throw new ConnResetError("Cannot go on: it ended before its first byte");
    }
    return new BegunConn(conn, buffer.subarray(0, count));
  } catch (error) {
    close();
    if (error instanceof ObstacleError && !signal.aborted) {
      // Something on the way keeps what is sent: another way may not.
      const detail = `nothing came through within ${firstByteMs / 1000} s`;
      throw new ObstacleError({ kind: "reset", detail });
    }
    throw error;
  }
}

/** A flow of which the first bytes were read. */
class BegunConn extends ConnBehind {
  #begun: Uint8Array | undefined;

  constructor(conn: Conn, begun: Uint8Array) {
    super(conn);
    this.#begun = begun;
  }

  override read(into: Uint8Array): Promise<number | null> {
    const begun = this.#begun;
    if (begun === undefined) return this.conn.read(into);
    const count = Math.min(begun.length, into.length);
    into.set(begun.subarray(0, count));
    this.#begun = count < begun.length ? begun.subarray(count) : undefined;
    return Promise.resolve(count);
  }
}
