/** A netlink socket: one request at a time, each answered by the kernel before the call returns. */
import { doNotWait } from "../libc/mod.ts";
import type { DeviceLibc } from "./_device_libc_linux.ts";
import {
  decodeMessages,
  encodeMessage,
  endOfAnswer,
  type Message,
  nlm,
} from "./_netlink_message.ts";

const addressFamily = 16; // AF_NETLINK
const raw = 3 | 0x80000; // SOCK_RAW | SOCK_CLOEXEC

/** The kernel's answer to a request was an error. */
export class NetlinkError extends Error {
  override readonly name = "NetlinkError";
  readonly errno: number;

  constructor(action: string, errno: number) {
    super(`Cannot ${action}: errno ${errno}`);
    this.errno = errno;
  }
}

export class Netlink implements Disposable {
  readonly #libc: DeviceLibc;
  readonly #fd: number;
  readonly #buffer = new Uint8Array(1 << 16);
  #sequence = 0;

  /** `libc` stays the caller's and must outlive the socket. */
  constructor(libc: DeviceLibc) {
    this.#libc = libc;
    this.#fd = libc.call.socket(addressFamily, raw, 0);
    if (this.#fd < 0) {
      throw new NetlinkError("open a netlink socket", libc.errno);
    }
  }

  /**
   * Changes something.
   *
   * @param action Completes "Cannot …" in the error.
   * @throws {NetlinkError}
   */
  change(
    action: string,
    request: { type: number; flags?: number; body: Uint8Array },
  ): void {
    const flags = nlm.request | nlm.ack | (request.flags ?? 0);
    this.#ask(action, { type: request.type, flags, body: request.body });
  }

  /** Reads a table of the kernel. */
  dump(action: string, request: { type: number; body: Uint8Array }): Message[] {
    return this.#ask(action, { ...request, flags: nlm.request | nlm.dump });
  }

  [Symbol.dispose](): void {
    this.#libc.call.close(this.#fd);
  }

  #ask(action: string, request: Omit<Message, "sequence">): Message[] {
    const sequence = ++this.#sequence;
    const bytes = encodeMessage({ ...request, sequence });
    if (this.#libc.call.send(this.#fd, bytes, BigInt(bytes.length), 0) < 0n) {
      throw new NetlinkError(action, this.#libc.errno);
    }
    const answer: Message[] = [];
    for (;;) {
      for (const message of this.#receive(action)) {
        if (message.sequence !== sequence) continue;
        const errno = endOfAnswer(message);
        if (errno === 0) return answer;
        if (errno !== undefined) throw new NetlinkError(action, errno);
        answer.push({ ...message, body: message.body.slice() });
      }
    }
  }

  #receive(action: string): Message[] {
    const { call } = this.#libc;
    const size = BigInt(this.#buffer.length);
    // The kernel has answered when send() returns.
    const length = Number(call.recv(this.#fd, this.#buffer, size, doNotWait));
    if (length < 0) throw new NetlinkError(action, this.#libc.errno);
    return decodeMessages(this.#buffer.subarray(0, length));
  }
}
