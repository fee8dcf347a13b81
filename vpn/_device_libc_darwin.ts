import {
  askSysctl,
  descriptorCalls,
  errnos,
  isOpenOnStack,
  Libc,
  sysctlCalls,
  unread,
  unreadTypes,
} from "../libc/mod.ts";
import { interfaceCalls } from "./_interface_name.ts";

const calls = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  getsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "buffer"],
    result: "i32",
  },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
  ioctl: { parameters: ["i32", "usize", "buffer"], result: "i32" },
  ioctlOnStack: {
    name: "ioctl",
    parameters: ["i32", "usize", ...unreadTypes, "buffer"],
    result: "i32",
  },
  ...sysctlCalls,
  ...interfaceCalls,
  ...descriptorCalls,
} as const;

/** The C library of macOS with the calls for utun devices and routes. */
export class DeviceLibc extends Libc<typeof calls> {
  constructor() {
    super(calls);
  }

  ioctl(fd: number, request: number, data: Uint8Array<ArrayBuffer>): number {
    const { call } = this;
    return isOpenOnStack
      ? call.ioctlOnStack(fd, BigInt(request), ...unread, data)
      : call.ioctl(fd, BigInt(request), data);
  }

  /** What the kernel tells under a name of numbers; `undefined` when it does not. */
  sysctl(name: readonly number[]): Uint8Array<ArrayBuffer> | undefined {
    for (let room = 1 << 16; room <= 1 << 26; room *= 4) {
      const told = askSysctl(name, room, this.call);
      if (told || this.errno !== errnos.ENOMEM) return told;
    }
    return undefined;
  }
}
