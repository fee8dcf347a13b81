/**
 * `connect_proxy.ts`: an HTTP proxy on the loopback address that knows CONNECT (RFC 9110 section 9.3.6) and nothing else.
 * It says its port, then whom it was asked for, a line each.
 */
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
say(String(listener.addr.port));
for await (const client of listener) serve(client).catch(() => {});

async function serve(client: Deno.TcpConn): Promise<void> {
  using _client = client;
  const head = await readHead(client);
  const [, authority = "", host = "", port] =
    /^CONNECT (\[?([^\]\s]+?)\]?:(\d+)) HTTP/.exec(head) ?? [];
  say(authority);
  using server = await Deno.connect({ hostname: host, port: Number(port) });
  await write(client, "HTTP/1.1 200 Connection established\r\n\r\n");
  await Promise.all([
    client.readable.pipeTo(server.writable),
    server.readable.pipeTo(client.writable),
  ]);
}

/** The head comes in one piece or several; nothing follows it before the answer. */
async function readHead(client: Deno.TcpConn): Promise<string> {
  const buffer = new Uint8Array(1024);
  let head = "";
  while (!head.endsWith("\r\n\r\n")) {
    const count = await client.read(buffer);
    if (count === null) break;
    head += new TextDecoder().decode(buffer.subarray(0, count));
  }
  return head;
}

async function write(client: Deno.TcpConn, text: string): Promise<void> {
  await client.write(new TextEncoder().encode(text));
}

function say(line: string): void {
  // deno-lint-ignore no-console -- who started this reads it
  console.log(line);
}
