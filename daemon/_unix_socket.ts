import { addressOf, errnos } from "../libc/mod.ts";
import type { SocketLayout } from "./_socket_layout.ts";
import type { SocketLibc } from "./_socket_libc.ts";
import type { MessageSocket, Peer, Received } from "./sockets.ts";

/** Neither call waits, and sending to nobody raises no signal. */
export interface MessageFlags {
  send: number;
  receive: number;
}

/** What came by one look at a connection. */
export type Arrived =
  | { length: number; fd: number | undefined }
  | "nothing"
  | "end";

/** One end of a connection, as far as all systems have it alike. */
export abstract class UnixSocket<L extends SocketLibc>
  implements MessageSocket {
  readonly fd: number;
  protected readonly libc: L;
  protected abstract readonly layout: SocketLayout;
  protected abstract readonly flags: MessageFlags;
  #open = true;

  constructor(libc: L, fd: number) {
    this.libc = libc;
    this.fd = fd;
  }

  abstract peer(): Peer;

  abstract receive(options?: { descriptors?: boolean }): Received;

  /** A part of a message ends the connection: nothing can follow it. */
  send(bytes: Uint8Array<ArrayBuffer>, fd?: number): boolean {
    const control = fd === undefined
      ? undefined
      : this.layout.descriptorMessage(fd);
    const sent = this.#withHeader(
      bytes,
      control,
      (header) => this.libc.call.sendmsg(this.fd, header, this.flags.send),
    );
    return sent === bytes.length;
  }

  endSending(): void {
    this.libc.call.shutdown(this.fd, 1);
  }

  endReceiving(): void {
    this.libc.call.shutdown(this.fd, 2);
  }

  [Symbol.dispose](): void {
    if (this.#open) this.libc.call.close(this.fd);
    this.#open = false;
  }

  /** Receives into `room`, which is not empty, and a descriptor if `descriptors` is true. */
  protected receiveInto(
    room: Uint8Array<ArrayBuffer>,
    { descriptors = false }: { descriptors?: boolean } = {},
  ): Arrived {
    const { descriptorBytes, descriptorIn } = this.layout;
    const control = descriptors ? new Uint8Array(descriptorBytes) : undefined;
    const length = this.#withHeader(
      room,
      control,
      (header) => this.libc.call.recvmsg(this.fd, header, this.flags.receive),
    );
    if (length < 0) {
      return this.libc.errno === errnos.EAGAIN ? "nothing" : "end";
    }
    if (length === 0) return "end";
    return { length, fd: control && descriptorIn(control) };
  }

  /** What the header points to stays where it is until the call has returned. */
  #withHeader(
    data: Uint8Array<ArrayBuffer>,
    control: Uint8Array<ArrayBuffer> | undefined,
    call: (header: Uint8Array<ArrayBuffer>) => number | bigint,
  ): number {
    const vector = new BigUint64Array([addressOf(data), BigInt(data.length)]);
    const header = this.layout.messageHeader({
      vector: addressOf(vector),
      ...control
        ? { control: { address: addressOf(control), length: control.length } }
        : {},
    });
    const result = Number(call(header));
    void [data, vector, control].length;
    return result;
  }
}
