import type { Ip } from "../net/mod.ts";

/**
 * Sends ICMP messages of one family and receives the replies to its own. The system sets identifier and checksum of what
 * goes out, and passes on only what bears the same identifier.
 */
export interface PingSocket {
  /** Returns false when the system did not take it: no way to that address, or no room. */
  send(to: Ip, message: Uint8Array<ArrayBuffer>): boolean;
  /**
   * Receives one message into `into`. Waits for a fraction of a second at most; `undefined` when none came. One call at a
   * time.
   */
  receive(
    into: Uint8Array<ArrayBuffer>,
  ): Promise<{ from: Ip; length: number } | undefined>;
  /** Not while something is received. */
  close(): void;
}

/** Opens a socket of a family; `undefined` when the system does not let this process. */
export type OpenPingSocket = (family: 4 | 6) => PingSocket | undefined;
