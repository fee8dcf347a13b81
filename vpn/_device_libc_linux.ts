import { Libc } from "../libc/mod.ts";
import { interfaceCalls } from "./_interface_name.ts";

const calls = {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  /** With a pointer as third argument. */
  ioctl: { parameters: ["i32", "usize", "buffer"], result: "i32" },
  /** With a number as third argument. */
  ioctlValue: {
    name: "ioctl",
    parameters: ["i32", "usize", "usize"],
    result: "i32",
  },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  ...interfaceCalls,
} as const;

/** The C library with the calls that open a TUN device and speak netlink. */
export class DeviceLibc extends Libc<typeof calls> {
  constructor() {
    super(calls);
  }
}
