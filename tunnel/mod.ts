/** Many streams over carriers that come and go. SPEC.md beside this file is the protocol. */
export { dialSession } from "./dial_session.ts";
export {
  Acceptor,
  type AcceptorOptions,
  type TakeOptions,
} from "./acceptor.ts";
export {
  type CarrierChange,
  type Dial,
  type DialSessionOptions,
  type Session,
  type SessionEnd,
  sessionEndReasons,
  type SessionOptions,
  type SessionStats,
} from "./session.ts";
export type { CarrierStats } from "./carrier.ts";
export type { Peer } from "./handshake.ts";
export type { Incoming } from "./incoming_open.ts";
export { createIdentity, type Identity } from "./identity.ts";
export { defaultLimits, type Limits } from "./limits.ts";
export { MemoryBudget } from "./memory_budget.ts";
export { type Breach, ProtocolError } from "./protocol_error.ts";
export { UnknownSessionError } from "./greet.ts";
export {
  IncompatibleError,
  protocolVersions,
  type VersionRange,
} from "./version.ts";
