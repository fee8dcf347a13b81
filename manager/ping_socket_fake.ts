import { echoTypes, Ip } from "../net/mod.ts";
import type { PingSocket } from "../tcp/mod.ts";

/** A socket for ICMP echo whose network is the test: by default each address replies at once. */
export class FakePingSocket implements PingSocket {
  readonly sent: { to: Ip; message: Uint8Array }[] = [];
  /** What addresses do with a request. */
  onRequest = (to: Ip, message: Uint8Array): void => {
    const reply = message.slice();
    reply[0] = echoTypes[this.family].reply;
    this.arrive(to, reply);
  };
  isClosed = false;
  readonly #arrived: { from: Ip; message: Uint8Array }[] = [];

  constructor(readonly family: 4 | 6) {}

  /** Makes a message arrive. */
  arrive(from: Ip, message: Uint8Array): void {
    this.#arrived.push({ from, message });
  }

  send(to: Ip, message: Uint8Array): boolean {
    this.sent.push({ to, message: message.slice() });
    this.onRequest(to, message);
    return true;
  }

  async receive(
    into: Uint8Array,
  ): Promise<{ from: Ip; length: number } | undefined> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    const next = this.#arrived.shift();
    if (next === undefined) return undefined;
    into.set(next.message);
    return { from: next.from, length: next.message.length };
  }

  close(): void {
    this.isClosed = true;
  }
}
