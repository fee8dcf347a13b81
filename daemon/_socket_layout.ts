/** What a system is told of a Unix socket and of what is sent by it, but for what is pointed to. */
export interface SocketLayout {
  /**
   * struct sockaddr_un
   *
   * @throws {RangeError} when it has no room for the path.
   */
  unixAddress(path: string): Uint8Array<ArrayBuffer>;
  /** struct cmsghdr with one descriptor. */
  descriptorMessage(fd: number): Uint8Array<ArrayBuffer>;
  /** How long that is. */
  readonly descriptorBytes: number;
  /** The descriptor of what {@link descriptorMessage} is like; `undefined` for anything else. */
  descriptorIn(control: Uint8Array): number | undefined;
  /** struct msghdr; the addresses are those of a struct iovec and of the control message. */
  messageHeader(
    to: { vector: bigint; control?: { address: bigint; length: number } },
  ): Uint8Array<ArrayBuffer>;
}
