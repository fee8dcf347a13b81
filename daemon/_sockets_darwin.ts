/**
 * Unix sockets of macOS by FFI. They keep no boundaries of messages (SOCK_STREAM): all have one size, and are put together
 * again here.
 */
import {
  closeOnExec,
  descriptorCalls,
  doNotWait,
  Libc,
  PollList,
} from "../libc/mod.ts";
import { MessageAssembly } from "./_message_assembly.ts";
import { socketCalls } from "./_socket_libc.ts";
import * as layout from "./_socket_layout_darwin.ts";
import { UnixSocket } from "./_unix_socket.ts";
import { UnixListener, UnixSockets } from "./_unix_sockets.ts";
import { type Peer, type Received, SocketError } from "./sockets.ts";

const calls = {
  ...socketCalls,
  ...descriptorCalls,
  accept: { parameters: ["i32", "usize", "usize"], result: "i32" },
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  getpeereid: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  /** Of one that has no time to wait. */
  look: { name: "poll", parameters: ["buffer", "usize", "i32"], result: "i32" },
  fstat: {
    // The one whose inodes have 64 bits; arm64 has no other.
    name: Deno.build.arch === "x86_64" ? "fstat$INODE64" : "fstat",
    parameters: ["i32", "buffer"],
    result: "i32",
  },
} as const;

type DarwinLibc = Libc<typeof calls>;

const socketLevel = 0xffff; // SOL_SOCKET
const noSignal = 0x1022; // SO_NOSIGPIPE
const unixLevel = 0; // SOL_LOCAL
const peerProcess = 2; // LOCAL_PEERPID
/** struct stat is shorter; the inode is its fourth field. */
const statBytes = 256;
const inodeAt = 8;

export class DarwinSockets extends UnixSockets<DarwinLibc> {
  protected override readonly layout = layout;
  protected override readonly type = 1; // SOCK_STREAM
  protected override readonly readOnly = 0x1000000;

  constructor() {
    super(new Libc(calls));
  }

  override adopt(fd: number): StreamListener {
    this.keepFromChildren(fd);
    return this.listenerOf(fd);
  }

  protected override keepFromChildren(fd: number): void {
    closeOnExec(this.libc.call, fd);
  }

  protected override socketOf(fd: number): StreamSocket {
    return new StreamSocket(this.libc, fd);
  }

  protected override listenerOf(fd: number): StreamListener {
    return new StreamListener(this.libc, fd);
  }

  protected override inodeOf(fd: number): number | undefined {
    const stat = new Uint8Array(statBytes);
    if (this.libc.call.fstat(fd, stat) < 0) return undefined;
    return Number(new DataView(stat.buffer).getBigUint64(inodeAt, true));
  }
}

class StreamSocket extends UnixSocket<DarwinLibc> {
  protected override readonly layout = layout;
  protected override readonly flags = { send: doNotWait, receive: doNotWait };
  readonly #assembly = new MessageAssembly();

  constructor(libc: DarwinLibc, fd: number) {
    super(libc, fd);
    const on = new Uint8Array(Int32Array.of(1).buffer);
    libc.call.setsockopt(fd, socketLevel, noSignal, on, on.length);
  }

  override peer(): Peer {
    const { call } = this.libc;
    const [uid, gid, pid, length] = [1, 1, 1, 1].map(() => new Uint8Array(4));
    length![0] = 4;
    const isTold = call.getpeereid(this.fd, uid!, gid!) === 0 &&
      call.getsockopt(this.fd, unixLevel, peerProcess, pid!, length!) === 0;
    if (!isTold) throw new SocketError("ask who connects", this.libc.errno);
    const number = (bytes: Uint8Array) =>
      new DataView(bytes.buffer).getUint32(0, true);
    return { pid: number(pid!), uid: number(uid!) };
  }

  override receive(options?: { descriptors?: boolean }): Received {
    for (;;) {
      const arrived = this.receiveInto(this.#assembly.room, options);
      if (typeof arrived === "string") return arrived;
      const { length, fd } = arrived;
      if (fd !== undefined) closeOnExec(this.libc.call, fd);
      const message = this.#assembly.take(length, fd);
      if (message) return message;
    }
  }
}

class StreamListener extends UnixListener<DarwinLibc> {
  /** `accept` would wait where nobody does. */
  override accept(): StreamSocket | undefined {
    const { call } = this.libc;
    const { bytes } = new PollList([this.fd]);
    if (call.look(bytes, 1n, 0) <= 0) return undefined;
    const fd = call.accept(this.fd, 0n, 0n);
    if (fd < 0) return undefined;
    closeOnExec(call, fd);
    return new StreamSocket(this.libc, fd);
  }
}
