/** Many streams over one carrier. SPEC.md beside this file is the protocol. */
export { acceptSession, dialSession } from "./start.ts";
export {
  type AcceptSessionOptions,
  type DialSessionOptions,
  type Session,
  type SessionEnd,
  sessionEndReasons,
  type SessionStats,
} from "./session.ts";
export type { Peer } from "./handshake.ts";
export type { Incoming } from "./incoming_open.ts";
export { createIdentity, type Identity } from "./identity.ts";
export { defaultLimits, type Limits } from "./limits.ts";
export { type Breach, ProtocolError } from "./protocol_error.ts";
export {
  IncompatibleError,
  protocolVersions,
  type VersionRange,
} from "./version.ts";
