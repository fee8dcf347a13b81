/** Unix sockets of Linux by FFI. They keep the boundaries of messages (SOCK_SEQPACKET, unix(7)). */
import { Libc } from "../libc/mod.ts";
import { socketCalls } from "./_socket_libc.ts";
import * as layout from "./_socket_layout_linux.ts";
import { UnixSocket } from "./_unix_socket.ts";
import { UnixListener, UnixSockets } from "./_unix_sockets.ts";
import { messageSize } from "./api.ts";
import { type Peer, type Received, SocketError } from "./sockets.ts";

const calls = {
  ...socketCalls,
  accept4: { parameters: ["i32", "usize", "usize", "i32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
} as const;

type LinuxLibc = Libc<typeof calls>;

const closeOnExec = 0x80000; // SOCK_CLOEXEC, O_CLOEXEC
const nonBlocking = 0x800; // SOCK_NONBLOCK, O_NONBLOCK
const setDescriptorFlags = 2; // F_SETFD
const setStatusFlags = 4; // F_SETFL
const socketLevel = 1; // SOL_SOCKET
const peerCredentials = 17; // SO_PEERCRED
const flags = {
  send: 0x4000, // MSG_NOSIGNAL
  receive: 0x40000000, // MSG_CMSG_CLOEXEC
};

export class LinuxSockets extends UnixSockets<LinuxLibc> {
  protected override readonly layout = layout;
  protected override readonly type = 5 | closeOnExec | nonBlocking; // SOCK_SEQPACKET
  protected override readonly readOnly = closeOnExec;

  constructor() {
    super(new Libc(calls));
  }

  override adopt(fd: number): PacketListener {
    const { fcntl } = this.libc.call;
    const isOurs = fcntl(fd, setDescriptorFlags, 1) === 0 &&
      fcntl(fd, setStatusFlags, nonBlocking) === 0;
    if (isOurs) return this.listenerOf(fd);
    throw new SocketError("take over the socket", this.libc.errno);
  }

  /** It is so by its type. */
  protected override keepFromChildren(): void {}

  protected override socketOf(fd: number): PacketSocket {
    return new PacketSocket(this.libc, fd);
  }

  protected override listenerOf(fd: number): PacketListener {
    return new PacketListener(this.libc, fd);
  }

  protected override inodeOf(fd: number): number | undefined {
    return Deno.statSync(`/proc/self/fd/${fd}`).ino ?? undefined;
  }
}

class PacketSocket extends UnixSocket<LinuxLibc> {
  protected override readonly layout = layout;
  protected override readonly flags = flags;

  override peer(): Peer {
    const credentials = new Int32Array(3); // struct ucred: pid, uid, gid
    const length = new Uint32Array([credentials.byteLength]);
    const result = this.libc.call.getsockopt(
      ...[this.fd, socketLevel, peerCredentials] as const,
      ...[credentials, length] as const,
    );
    if (result < 0) throw new SocketError("ask who connects", this.libc.errno);
    return { pid: credentials[0]!, uid: credentials[1]! >>> 0 };
  }

  override receive(options?: { descriptors?: boolean }): Received {
    // One octet more than a message has shows that one is too long.
    const bytes = new Uint8Array(messageSize + 1);
    const arrived = this.receiveInto(bytes, options);
    if (typeof arrived === "string") return arrived;
    const { length, fd } = arrived;
    const message = bytes.subarray(0, length);
    return { bytes: message, ...fd === undefined ? {} : { fd } };
  }
}

class PacketListener extends UnixListener<LinuxLibc> {
  override accept(): PacketSocket | undefined {
    const { accept4 } = this.libc.call;
    const fd = accept4(this.fd, 0n, 0n, closeOnExec | nonBlocking);
    return fd < 0 ? undefined : new PacketSocket(this.libc, fd);
  }
}
