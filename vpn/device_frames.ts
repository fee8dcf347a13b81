/** Reading and writing the device by calls that do not wait. The OS is in the name of the file that implements it. */
export interface DeviceFrames extends Disposable {
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
  /** Lets go of the library; the descriptor stays open. */
  [Symbol.dispose](): void;
}
