/** The C library by FFI: what means the same to every room that calls it. */
export { doNotWait, Libc, libcPath } from "./libc.ts";
export { errnos, type ErrorName, errorName } from "./errnos.ts";
export { addressOf, cString, textOf } from "./memory.ts";
export { PollList } from "./poll_list.ts";
export {
  closeOnExec,
  descriptorCalls,
  isOpenOnStack,
  unread,
  unreadTypes,
} from "./descriptor_darwin.ts";
export {
  bell,
  decodeEvent,
  eventBytes,
  eventFilters,
  eventFlags,
  type KernelEvent,
  kqueueCalls,
  tellKqueue,
  trigger,
} from "./kqueue_darwin.ts";
export { askSysctl, sysctlCalls } from "./sysctl_darwin.ts";
