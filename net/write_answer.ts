import { type Conn, writeAll } from "./conn.ts";

/** Writes `bytes` as all that a stream answers, and closes it. Never rejects: a stream that breaks is reset. */
export async function writeAnswer(
  stream: Conn,
  bytes: Uint8Array,
): Promise<void> {
  try {
    await writeAll(stream, bytes);
    await stream.closeWrite();
    stream.close();
  } catch {
    stream.reset();
  }
}
