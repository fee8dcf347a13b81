import { Buffer } from "node:buffer";
import { type Clock, writeAll } from "../../net/mod.ts";
import type { ByteSource } from "../byte_source.ts";

const reasons = {
  400: "Bad Request",
  408: "Request Timeout",
  431: "Request Header Fields Too Large",
  502: "Bad Gateway",
  505: "HTTP Version Not Supported",
};

/** An answer of our own, after which the connection ends. */
export async function reply(
  client: ByteSource,
  status: keyof typeof reasons,
  options: { text: string; method?: string },
): Promise<void> {
  const body = Buffer.from(`${options.text}\n`);
  const head = Buffer.from(
    `HTTP/1.1 ${status} ${reasons[status]}\r\nConnection: close\r\n` +
      `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  await writeAll(
    client,
    options.method === "HEAD" ? head : Buffer.concat([head, body]),
  );
}

/**
 * Ends the connection after its last answer. What the client still sends is read for a while: closing before would
 * break the connection off, and the answer with it (RFC 9112 section 9.6).
 */
export async function linger(
  client: ByteSource,
  options: { lingerMs: number; clock: Clock },
): Promise<void> {
  const cancel = options.clock.after(options.lingerMs, () => client.close());
  try {
    await client.closeWrite();
    do client.consume(client.unreadBytes); while (await client.fill());
  } catch {
    // Then there is nobody to wait for.
  } finally {
    cancel();
    client.close();
  }
}
