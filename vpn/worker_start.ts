/** What the main thread gives to the worker, and what the worker says. All is plain data. */

/** One address family of the device. */
export interface WorkerFamily {
  /** Octets of the laptop's own address and of the peer. */
  laptop: Uint8Array;
  peer: Uint8Array;
  /** Port of our listener on the laptop's address. */
  listenerPort: number;
  /** Memory of the family's `NatTable`. */
  table: SharedArrayBuffer;
}

export interface WorkerStart {
  fd: number;
  wakeFd: number;
  v4?: WorkerFamily;
  v6?: WorkerFamily;
  /** Memory of the `PacketRing`. */
  ring: SharedArrayBuffer;
  /** Memory of the `Counters`. */
  counters: SharedArrayBuffer;
}

/** The worker's only message: it reads no more, and why. */
export type WorkerEnd = "woken" | "gone";
