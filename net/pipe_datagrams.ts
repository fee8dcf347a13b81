import type { Datagrams } from "./conn.ts";
import { RefusedError } from "./refusal.ts";

/** The largest datagram of UDP over IPv6. */
const maxDatagramBytes = 65_527;

/** Most flows are a question and its answer: a fresh buffer for each direction would cost more than what it carries. */
const spare: Uint8Array[] = [];
const spareLimit = 64;

/** Copies datagrams both ways until one of the flows ends; the other one is told why. Both are closed when it resolves. Never rejects. */
export async function pipeDatagrams(a: Datagrams, b: Datagrams): Promise<void> {
  await Promise.all([copy(a, b), copy(b, a)]);
}

async function copy(from: Datagrams, to: Datagrams): Promise<void> {
  const buffer = spare.pop() ?? new Uint8Array(maxDatagramBytes);
  let why: RefusedError | undefined;
  try {
    for (;;) {
      const length = await from.receive(buffer);
      if (length === null) break;
      to.send(buffer.subarray(0, length));
    }
  } catch (error) {
    // A flow that broke has ended.
    if (error instanceof RefusedError) why = error;
  }
  if (spare.length < spareLimit) spare.push(buffer);
  from.close();
  to.close(why);
}
