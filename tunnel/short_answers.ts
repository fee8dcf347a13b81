/** Answers about streams that are not there, and of the session itself: each is one frame, sent once. */
import type { Refusal } from "../net/mod.ts";
import type { Batch } from "./batch.ts";
import {
  headerBytes,
  maxDetailBytes,
  movePhase,
  type ResetReason,
} from "./frame.ts";
import type { ControlSender } from "./stream.ts";

/** REFUSE of an OPEN that came again when its stream was over. */
export class RefuseOpen implements ControlSender {
  isInControlLine = false;

  constructor(
    readonly id: number,
    readonly refusal: Refusal,
    readonly detail: string,
  ) {}

  emitControl(batch: Batch): boolean {
    if (batch.room < headerBytes + 1 + maxDetailBytes) return false;
    batch.refuse(this.id, this.refusal, this.detail);
    return true;
  }
}

/** RESET in answer to RESUME of a stream that is over. */
export class ResetOver implements ControlSender {
  isInControlLine = false;

  constructor(readonly id: number, readonly reason: ResetReason) {}

  emitControl(batch: Batch): boolean {
    if (batch.room < headerBytes + 1) return false;
    batch.reset(this.id, this.reason, "");
    return true;
  }
}

/** MOVED in answer to MOVED: all that the acceptor has to say of the carrier's streams is said before it. */
export class MovedAnswer implements ControlSender {
  isInControlLine = false;

  constructor(readonly carrier: number) {}

  emitControl(batch: Batch): boolean {
    if (batch.room < headerBytes + 5) return false;
    batch.moved(this.carrier, movePhase.told);
    return true;
  }
}
