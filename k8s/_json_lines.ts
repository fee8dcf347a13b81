import type { Body } from "./_http_body.ts";

/** A line longer than this is not taken: etcd holds objects of 1.5 MiB. */
const lineLimitBytes = 32 * 1024 * 1024;

/**
 * The JSON values of a body that holds one per line. The next piece is read when the next value is asked for.
 *
 * @throws {SyntaxError} when a line is not JSON.
 */
export async function* jsonLines(body: Body): AsyncGenerator<unknown> {
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  for (let piece = await body.read(); piece; piece = await body.read()) {
    let from = 0;
    for (
      let end = piece.indexOf(0x0a);
      end >= 0;
      end = piece.indexOf(0x0a, from)
    ) {
      const line = decode([...rest, piece.subarray(from, end)]);
      rest = [];
      restBytes = 0;
      from = end + 1;
      if (line.trim() !== "") yield JSON.parse(line);
    }
    rest.push(piece.slice(from));
    restBytes += piece.length - from;
    if (restBytes > lineLimitBytes) {
      throw new SyntaxError(`Cannot take a line of ${restBytes} bytes`);
    }
  }
  const last = decode(rest);
  if (last.trim() !== "") yield JSON.parse(last);
}

function decode(parts: Uint8Array[]): string {
  const decoder = new TextDecoder();
  return parts.map((part) => decoder.decode(part, { stream: true })).join("") +
    decoder.decode();
}
