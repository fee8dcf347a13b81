/**
 * A client that speaks HTTP to its proxy (RFC 9110 section 9.3.6, RFC 9112 section 3.2.2): CONNECT joins it with what it
 * names; any other request names an `http:` URL, and goes to its host as a request of a connection that ends with it. So
 * what follows the head is never read here.
 */
import { Buffer } from "node:buffer";
import type { ByteSource } from "../../http/mod.ts";
import {
  type Conn,
  pipe,
  type Refusal,
  RefusedError,
  writeAll,
} from "../../net/mod.ts";
import type { ProxyOptions } from "./proxy.ts";
import { readForwarded } from "./forwarded_request.ts";

const statusOf: Partial<Record<Refusal, string>> = {
  timeout: "504 Gateway Timeout",
  forbidden: "403 Forbidden",
};

/** @returns what joins the client with where it goes; `undefined` when it was refused. */
export async function serveHttpProxy(
  client: ByteSource,
  { outbound, credential, signal }: ProxyOptions,
): Promise<(() => Promise<unknown>) | undefined> {
  const head = await readHead(client);
  if (head === undefined) {
    const status = "431 Request Header Fields Too Large";
    return await refuse(client, status, "The head is too long");
  }
  const request = readForwarded(head);
  if (request === undefined) {
    return await refuse(client, "400 Bad Request", "This is a proxy");
  }
  if (!credential.matchesBasic(request.authorization)) {
    return await refuse(
      client,
      "407 Proxy Authentication Required",
      "The password is wrong",
      'Proxy-Authenticate: Basic realm="tp"\r\n',
    );
  }
  const { host, port, onward } = request;
  let there: Conn;
  try {
    there = await outbound.dialName(host, port, { signal });
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const status = statusOf[error.refusal] ?? "502 Bad Gateway";
    return await refuse(client, status, error.message);
  }
  return async () => {
    try {
      if (onward === undefined) {
        await writeText(client, "HTTP/1.1 200 Connection established\r\n\r\n");
      } else await writeText(there, onward);
    } catch (error) {
      there.reset();
      throw error;
    }
    await pipe(client, there);
  };
}

/** Takes the head off; `undefined` when it is too long. */
async function readHead(client: ByteSource): Promise<string | undefined> {
  for (;;) {
    const text = Buffer.from(client.unread).toString("latin1");
    const end = text.indexOf("\r\n\r\n");
    if (end >= 0) {
      client.consume(end + 4);
      return text.slice(0, end);
    }
    if (client.isFull) return undefined;
    if (!await client.fill()) throw new Error("The client left");
  }
}

async function refuse(
  client: ByteSource,
  status: string,
  detail: string,
  fields = "",
): Promise<undefined> {
  const body = `tp: ${detail}\n`;
  await writeText(
    client,
    `HTTP/1.1 ${status}\r\n${fields}Content-Type: text/plain; charset=iso-8859-1\r\n` +
      `Content-Length: ${body.length}\r\n` +
      `Connection: close\r\n\r\n${body}`,
  );
  await client.closeWrite();
}

async function writeText(to: Pick<Conn, "write">, text: string): Promise<void> {
  await writeAll(to, Buffer.from(text, "latin1"));
}
