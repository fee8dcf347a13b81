/**
 * The way into the manager for who may run commands in its pod and not forward ports to it: joins this process's
 * standard streams to the manager's door.
 *
 * 1. It connects, and says so in one line.
 * 2. What comes in goes to the door, with its end; what the door says comes out.
 * 3. The end of what the door says is the end of the process: whoever runs it from afar learns of the end in no other way.
 */
import { bridgeReady } from "../k8s/mod.ts";
import { writeAll } from "../net/mod.ts";
import { TcpConn } from "../tcp/mod.ts";
import { clientPort } from "./api.ts";

/** What the API server sends in one piece, and reads in one. */
const bufferBytes = 32 * 1024;

export interface BridgeOptions {
  /** Where the door is on the loopback address. */
  port?: number;
  input: { read(into: Uint8Array): Promise<number | null> };
  output: { write(bytes: Uint8Array): Promise<number> };
}

/**
 * Resolves when the door has said all.
 *
 * @throws {Error} when nobody is at the door, or a stream broke off; the door sees a reset then.
 */
export async function runBridge(
  { port = clientPort, input, output }: BridgeOptions,
): Promise<void> {
  const door = new TcpConn(
    await Deno.connect({ hostname: "127.0.0.1", port }),
  );
  try {
    await writeAll(output, new TextEncoder().encode(bridgeReady));
    const broken = Promise.withResolvers<never>();
    copy(input, door).then(() => door.closeWrite()).catch(broken.reject);
    await Promise.race([copy(door, output), broken.promise]);
    door.close();
  } catch (error) {
    door.reset();
    throw error;
  }
}

async function copy(
  from: BridgeOptions["input"],
  to: BridgeOptions["output"],
): Promise<void> {
  const buffer = new Uint8Array(bufferBytes);
  for (;;) {
    const count = await from.read(buffer);
    if (count === null) return;
    await writeAll(to, buffer.subarray(0, count));
  }
}
