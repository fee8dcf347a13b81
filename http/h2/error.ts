/** RFC 9113 section 7. */
export const errorCodes = {
  "none": 0,
  "protocol": 1,
  "internal": 2,
  "flow-control": 3,
  "settings-timeout": 4,
  "stream-closed": 5,
  "frame-size": 6,
  "refused-stream": 7,
  "cancel": 8,
  "compression": 9,
  "calm": 11,
} as const;

export type ErrorWord = keyof typeof errorCodes;

/** The peer broke the protocol. */
export class H2Error extends Error {
  override readonly name = "H2Error";
  readonly code: number;
  /** Whose end it is; the connection's when 0. */
  readonly streamId: number;

  constructor(word: ErrorWord, message: string, streamId = 0) {
    super(message);
    this.code = errorCodes[word];
    this.streamId = streamId;
  }
}
