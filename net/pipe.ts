/**
 * Joins two flows: what comes out of one goes into the other, both ways.
 *
 * 1. Each direction copies with one buffer, small while little comes, large once reads fill it.
 * 2. The end of a direction travels as `closeWrite`, so half-close is kept.
 * 3. A broken direction breaks the other flow off, so a reset is a reset on both sides.
 */
import type { Conn } from "./conn.ts";
import { writeAll } from "./conn.ts";
import { pipeBuffers as buffers } from "./pipe_buffers.ts";
import { quantum } from "./quantum.ts";

export interface PipeOptions {
  /** Called with each number of bytes copied from the first flow to the second. */
  onForward?: (bytes: number) => void;
  /** Called with each number of bytes copied from the second flow to the first. */
  onBackward?: (bytes: number) => void;
}

/**
 * Copies until both directions have ended, or one broke. Both flows are closed when it resolves. Never rejects:
 * a break is told to the two ends, and by the result.
 *
 * @returns `"ended"` after two orderly ends, `"broken"` otherwise.
 */
export async function pipe(
  a: Conn,
  b: Conn,
  options: PipeOptions = {},
): Promise<"ended" | "broken"> {
  try {
    await Promise.all([
      copy(a, b, options.onForward),
      copy(b, a, options.onBackward),
    ]);
    a.close();
    b.close();
    return "ended";
  } catch {
    a.reset();
    b.reset();
    return "broken";
  }
}

async function copy(
  from: Conn,
  to: Conn,
  onBytes?: (bytes: number) => void,
): Promise<void> {
  let buffer = buffers.take();
  try {
    for (;;) {
      const read = await from.read(buffer);
      if (read === null) break;
      await writeAll(
        to,
        read === buffer.length ? buffer : buffer.subarray(0, read),
      );
      onBytes?.(read);
      buffer = buffers.fit(buffer, read);
      const nextTurn = quantum.spend(read);
      if (nextTurn !== undefined) await nextTurn;
    }
  } finally {
    buffers.giveBack(buffer);
  }
  await to.closeWrite();
}
