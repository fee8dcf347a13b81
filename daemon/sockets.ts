/**
 * Unix sockets that tell who is at the other end and carry descriptors, and the lock. Nothing waits but
 * {@link Sockets.waitReadable}. The OS is in the name of the file that implements it.
 */
import { errnos } from "../libc/mod.ts";

/** What keeps a user from a daemon, though nothing is amiss: a service that is for others is as good as none. */
const absences: readonly number[] = [
  errnos.ENOENT,
  errnos.ECONNREFUSED,
  errnos.EACCES,
];

export class SocketError extends Error {
  override readonly name = "SocketError";
  /** What the system says it is, where that matters. */
  readonly reason: "absent" | "other";

  constructor(action: string, errno: number) {
    super(`Cannot ${action}: errno ${errno}`);
    this.reason = absences.includes(errno) ? "absent" : "other";
  }
}

/** Who is at the other end, as the kernel knows it from when the connection was made. */
export interface Peer {
  pid: number;
  uid: number;
}

/** What one look at a connection brought. */
export type Received =
  | { bytes: Uint8Array; fd?: number }
  | "nothing"
  | "end";

/** One end of a connection that keeps the boundaries of messages. */
export interface MessageSocket extends Disposable {
  readonly fd: number;
  peer(): Peer;
  /**
   * Sends one message, with a copy of descriptor `fd`. Returns false when the other end is gone or takes nothing more: it
   * has stopped reading for dozens of messages.
   */
  send(bytes: Uint8Array<ArrayBuffer>, fd?: number): boolean;
  /** Takes one message, and the descriptor in it if `descriptors` is true; otherwise the kernel drops it. */
  receive(options?: { descriptors?: boolean }): Received;
  /** The other end reads end-of-file. */
  endSending(): void;
  /** Wakes who waits for this end; nothing is received any more. */
  endReceiving(): void;
}

/** A socket that others connect to. */
export interface MessageListener extends Disposable {
  readonly fd: number;
  /** Who waits reads end-of-file. */
  turnAllAway(): void;
  accept(): MessageSocket | undefined;
}

export interface Sockets extends Disposable {
  /** @throws {SocketError} "absent" when nobody listens, or not for this user. */
  connect(path: string): MessageSocket;
  /**
   * Everybody may connect: who is at the other end decides what is answered. The path must be free.
   *
   * @throws {SocketError}
   */
  bind(path: string): MessageListener;
  /**
   * Takes over a socket that listens already, and that no child of this process shall have.
   *
   * @throws {SocketError}
   */
  adopt(fd: number): MessageListener;
  /** Resolves when one of `sockets` can be read or has ended, at the latest after `timeoutMs`. Costs nothing meanwhile. */
  waitReadable(
    sockets: Iterable<{ readonly fd: number }>,
    timeoutMs: number,
  ): Promise<void>;
  closeDescriptor(fd: number): void;
  /**
   * Locks a directory until it is disposed of, or this process ends. `undefined` when another process holds it.
   *
   * @throws {Error} when it cannot be opened.
   */
  lock(directory: string): HeldDirectory | undefined;
}

export interface HeldDirectory extends Disposable {
  /** Of the directory that is locked, which may have been removed. */
  readonly inode: number;
}
