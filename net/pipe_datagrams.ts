import type { Datagrams } from "./conn.ts";
import { RefusedError } from "./refusal.ts";

/** The largest datagram of UDP over IPv6. */
const maxDatagramBytes = 65_527;

/**
 * Copies datagrams both ways until one of the flows ends; the other one is told why. Both are closed, and nothing of them
 * is left, when it resolves. Never rejects.
 */
export async function pipeDatagrams(a: Datagrams, b: Datagrams): Promise<void> {
  await Promise.all([copy(a, b), copy(b, a)]);
  await Promise.all([a.released, b.released]);
}

async function copy(from: Datagrams, to: Datagrams): Promise<void> {
  let why: RefusedError | undefined;
  try {
    await forwardDatagrams(from, (bytes) => void to.send(bytes));
  } catch (error) {
    // A flow that broke has ended.
    if (error instanceof RefusedError) why = error;
  }
  from.close();
  to.close(why);
}

/** `Datagrams.forward` of any flow: of one that has none, by a buffer. */
export async function forwardDatagrams(
  from: Datagrams,
  take: (bytes: Uint8Array) => void,
): Promise<void> {
  if (from.forward) return await from.forward(take);
  const buffer = new Uint8Array(maxDatagramBytes);
  for (;;) {
    const length = await from.receive(buffer);
    if (length === null) return;
    take(buffer.subarray(0, length));
  }
}
