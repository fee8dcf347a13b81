import type { Conn } from "./conn.ts";

/**
 * All of a flow of UTF-8, until the peer ends it.
 *
 * @throws {ConnResetError} when it broke off.
 * @throws {RangeError} when it is longer than `maxBytes`.
 */
export async function readText(
  stream: Pick<Conn, "read">,
  { maxBytes }: { maxBytes: number },
): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(16 * 1024);
  let text = "";
  for (let length = 0;;) {
    const read = await stream.read(buffer);
    if (read === null) return text + decoder.decode();
    length += read;
    if (length > maxBytes) {
      throw new RangeError("Cannot read the flow: it is too long");
    }
    text += decoder.decode(buffer.subarray(0, read), { stream: true });
  }
}
