import type { H2Field } from "./hpack_decoder.ts";
import { Lane } from "./lane.ts";
import { streamWindow } from "./settings.ts";

/** Interim responses that wait for a client which does not read. */
export const maxWaitingHeads = 8;

export interface Head {
  readonly fields: readonly H2Field[];
  /** Whether nothing follows it. */
  readonly ends: boolean;
}

/** One stream of one connection. The connection keeps its books; its owner sets the callbacks and {@link outgoing}. */
export class H2Stream {
  readonly id: number;
  /** What the peer sends after its head. */
  readonly incoming = new Lane();
  /** What we send after our heads. */
  outgoing: Lane | undefined;
  /** Heads of ours that are not sent yet. */
  readonly heads: Head[] = [];
  /** What the peer still takes, and what it may still send. */
  sendWindow: number;
  receiveWindow = streamWindow;
  /** What has gone on of what it sent, and it was not told yet. */
  #owedOctets = 0;
  /** Whether the peer knows it. */
  isOnWire = false;
  hasSentEnd = false;
  hasReceivedHead = false;
  hasReceivedEnd = false;
  isClosed = false;
  /** Set: when our end is sent, the peer's rest is not wanted. */
  resetAfterEnd: number | undefined;
  /** Of the answer: whether it has no body whatever its length says. */
  isAnswerToHead = false;
  /** What its Content-Length leaves to come. */
  octetsLeft: number | undefined;

  /** Of a request of ours: a head of its answer. */
  onHead = (_fields: readonly H2Field[], _ends: boolean): void => {};
  /** It was broken off: by the peer, for a fault of the peer's, or, when `isLost`, with its connection. */
  onReset = (_code: number, _isLost: boolean): void => this.incoming.discard();
  /** Called when it ends before the peer's end of it. */
  readonly onCancel = new Set<() => void>();

  constructor(id: number, sendWindow: number) {
    this.id = id;
    this.sendWindow = sendWindow;
  }

  /** So much has gone on. Returns how much the peer is to be told, 0 while that is not worth a frame. */
  owe(octets: number): number {
    this.#owedOctets += octets;
    if (this.#owedOctets < streamWindow / 8) return 0;
    const owed = this.#owedOctets;
    this.receiveWindow += owed;
    this.#owedOctets = 0;
    return owed;
  }
}
