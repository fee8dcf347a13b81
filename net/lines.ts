import type { Conn } from "./conn.ts";

/**
 * The lines of a flow of UTF-8, without their ends, until the peer ends it. A last line without an end is none.
 *
 * @param options.maxLength The longest line that is read, in UTF-16 units.
 * @throws {ConnResetError} when the flow broke off.
 * @throws {RangeError} when a line is longer.
 */
export async function* linesOf(
  stream: Pick<Conn, "read">,
  { maxLength }: { maxLength: number },
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(16 * 1024);
  let rest = "";
  for (;;) {
    const read = await stream.read(buffer);
    if (read === null) return;
    rest += decoder.decode(buffer.subarray(0, read), { stream: true });
    const complete = rest.split("\n");
    rest = complete.pop()!;
    if (rest.length > maxLength) {
      throw new RangeError("Cannot read the flow: a line is too long");
    }
    yield* complete;
  }
}
