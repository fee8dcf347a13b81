/** What a peer can do wrong; the table in SPEC.md section 9. */
export type Breach =
  | "bad-greeting"
  | "bad-signature"
  | "bad-frame"
  | "bad-stream-id"
  | "unknown-stream"
  | "unexpected-frame"
  | "bad-offset"
  | "over-credit"
  | "flood"
  | "wrong-carrier";

/** The peer broke the protocol. Ends the session. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly breach: Breach;

  constructor(breach: Breach, message: string) {
    super(message);
    this.breach = breach;
  }
}
