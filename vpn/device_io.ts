/** Frames of the TUN device, as one thread reads and writes them. The OS is in the name of the file that implements it. */

/** Why {@link DeviceIo.wait} came back. */
export type Awaited = "readable" | "woken" | "gone";

/** What one thread needs to read and write the device. The descriptors are the same in every thread. */
export interface DeviceIo extends Disposable {
  readonly fd: number;
  /** For the {@link DeviceIo} of another thread. */
  readonly wakeFd: number;
  /**
   * Reads one frame (`frame.ts`) into `buffer`. Returns its octets, or a negative number when there is none. The calls of
   * one thread are given the same buffer.
   */
  read(buffer: Uint8Array<ArrayBuffer>): number;
  /**
   * Hands the first `length` octets to the kernel as one frame, whose header is undefined then. One that it does not take
   * is dropped, as on any link.
   */
  write(frame: Uint8Array<ArrayBuffer>, length: number): boolean;
  /** Blocks until there is something to read, or somebody called {@link wake}, or the device has gone. */
  wait(): Awaited;
  /** Ends every {@link wait}, also those to come. */
  wake(): void;
  /** Closes both descriptors, for all threads. */
  closeDescriptors(): void;
  /** Lets go of the library; the descriptors stay open. */
  [Symbol.dispose](): void;
}
