/** Types, sizes and codes of frames; SPEC.md section 1. */
import { type Refusal, refusals } from "../net/mod.ts";

export const frameType = {
  welcome: 1,
  hello: 2,
  resume: 3,
  open: 4,
  accept: 5,
  refuse: 6,
  data: 7,
  datagram: 8,
  credit: 9,
  end: 10,
  reset: 11,
  ping: 12,
  pong: 13,
  goaway: 14,
  moved: 15,
  join: 16,
} as const;

export const headerBytes = 8;
/** Offset before the payload of DATA. */
export const dataHeadBytes = 8;
export const maxDataBytes = 64 * 1024;
export const maxDatagramBytes = 65527;
export const maxTargetBytes = 16 * 1024;
export const maxDetailBytes = 1024;
export const maxGreetingBytes = 4096;

/** Shortest and longest body of each type, and whether its stream id is 0; indexed by type. */
export const frameShapes: readonly (FrameShape | undefined)[] = [
  undefined,
  { min: 46, max: maxGreetingBytes, ofStream: false },
  { min: 130, max: maxGreetingBytes, ofStream: false },
  { min: 16, max: 16, ofStream: true },
  { min: 9, max: 9 + maxTargetBytes, ofStream: true },
  { min: 8, max: 8, ofStream: true },
  { min: 1, max: 1 + maxDetailBytes, ofStream: true },
  { min: dataHeadBytes + 1, max: dataHeadBytes + maxDataBytes, ofStream: true },
  { min: 0, max: maxDatagramBytes, ofStream: true },
  { min: 16, max: 16, ofStream: true },
  { min: 16, max: 16, ofStream: true },
  { min: 1, max: 1 + maxDetailBytes, ofStream: true },
  { min: 8, max: 8, ofStream: false },
  { min: 8, max: 8, ofStream: false },
  { min: 1, max: 1 + maxDetailBytes, ofStream: false },
  { min: 5, max: 5, ofStream: false },
  { min: 125, max: maxGreetingBytes, ofStream: false },
];

export interface FrameShape {
  readonly min: number;
  readonly max: number;
  readonly ofStream: boolean;
}

/** Flags of OPEN. */
export const openFlag = { datagrams: 1, urgent: 2 } as const;

/** Reasons of RESET. */
export const resetReason = {
  broken: 1,
  cancelled: 2,
  closed: 3,
  over: 4,
  refused: 5,
  unreachable: 6,
} as const;
export type ResetReason = typeof resetReason[keyof typeof resetReason];

/** Reasons of GOAWAY. */
export const goawayReason = {
  closed: 1,
  protocolError: 2,
  incompatible: 3,
  unauthenticated: 4,
  overloaded: 5,
  unknownSession: 6,
} as const;
export type GoawayReason = typeof goawayReason[keyof typeof goawayReason];

/** Phases of MOVED. */
export const movePhase = { begins: 0, told: 1 } as const;
export type MovePhase = typeof movePhase[keyof typeof movePhase];

/** The codes of REFUSE, by place; code 0 is nobody's. A change of order here is a change of the protocol. */
const refusalCodes: readonly Refusal[] = [
  "refused",
  "unreachable",
  "timeout",
  "forbidden",
  "unknown-target",
  "overloaded",
  "gone",
  "failed",
] satisfies typeof refusals[number][];

export function encodeRefusal(refusal: Refusal): number {
  return refusalCodes.indexOf(refusal) + 1;
}

/** A code of a later version reads as "failed". */
export function decodeRefusal(code: number): Refusal {
  return refusalCodes[code - 1] ?? "failed";
}
