/**
 * `api_gateway.ts CONFIG`: an HTTP gateway on the loopback address before an API server, for whom it vouches with a client
 * certificate. Of the ways to a pod's port it lets pass those that the file CONFIG allows, as of the moment. It says its
 * port, then each way that it is asked for, a line each, and `mark` when the user agent is so called; `other` for any other
 * request while it answers all with a status.
 */
export interface GatewayConfig {
  /** Address of the API server. */
  server: string;
  /** PEM. */
  authority: string;
  cert: string;
  key: string;
  /** Names of ways, as `tp status` tells them. */
  allowed: string[];
  /** With what it answers every request, as a busy API server does; absent: not by itself. */
  status?: number;
}

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
say(String(listener.addr.port));
for await (const client of listener) serve(client).catch(() => {});

/** One request for each connection. */
async function serve(client: Deno.TcpConn): Promise<void> {
  using _client = client;
  const config = await readConfig();
  const head = await readHead(client);
  const way = wayOf(head);
  if (way !== undefined) say(way);
  if (config.status !== undefined) {
    if (way === undefined) say("other");
    return await refuse(client, config.status, statusText(config.status));
  }
  if (way !== undefined && !config.allowed.includes(way)) {
    const body = "this gateway lets no such thing pass";
    return await refuse(client, 400, body);
  }
  const { cert, key } = config;
  const { hostname, port } = new URL(config.server);
  using up = await Deno.connectTls({
    ...{ hostname, port: Number(port), cert, key },
    caCerts: [config.authority],
  });
  await write(up, way === undefined ? withoutKeeping(head) : head);
  await Promise.all([
    client.readable.pipeTo(up.writable),
    up.readable.pipeTo(client.writable),
  ]);
}

async function refuse(
  client: Deno.Conn,
  status: number,
  body: string,
): Promise<void> {
  await write(
    client,
    `HTTP/1.1 ${status} No\r\ncontent-length: ${body.length}\r\n` +
      `connection: close\r\n\r\n${body}`,
  );
}

/** As an API server says that it has too much to do. */
function statusText(code: number): string {
  const reason = code === 429 ? "TooManyRequests" : "ServiceUnavailable";
  return JSON.stringify({ kind: "Status", status: "Failure", reason, code });
}

async function readConfig(): Promise<GatewayConfig> {
  return JSON.parse(await Deno.readTextFile(Deno.args[0]!));
}

/** What a request asks for, in the words of `tp`; `undefined` when it is no way to a pod. */
function wayOf(head: string): string | undefined {
  const [, path = ""] = /^\S+ ([^ ?]+)/.exec(head) ?? [];
  if (/^user-agent: *mark/im.test(head)) return "mark";
  if (/\/pods\/[^/]+\/exec$/.test(path)) return "exec";
  if (!/\/pods\/[^/]+\/portforward$/.test(path)) return undefined;
  if (/^user-agent: *kubectl/im.test(head)) return "kubectl";
  if (/^upgrade: *spdy/im.test(head)) return "spdy";
  return /^sec-websocket-protocol: *v4\.channel/im.test(head)
    ? "channel"
    : "spdy-websocket";
}

/** The head of a request after which the server ends the connection. */
function withoutKeeping(head: string): string {
  const lines = head.split("\r\n").filter((line) =>
    !/^connection:/i.test(line)
  );
  return [lines[0], "Connection: close", ...lines.slice(1)].join("\r\n");
}

/** The head, and what came along with it. */
async function readHead(client: Deno.TcpConn): Promise<string> {
  const buffer = new Uint8Array(16 * 1024);
  let text = "";
  while (!text.includes("\r\n\r\n")) {
    const count = await client.read(buffer);
    if (count === null) break;
    text += new TextDecoder("latin1").decode(buffer.subarray(0, count));
  }
  return text;
}

async function write(to: Deno.Conn, text: string): Promise<void> {
  const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
  for (let done = 0; done < bytes.length;) {
    done += await to.write(bytes.subarray(done));
  }
}

function say(line: string): void {
  // deno-lint-ignore no-console -- who started this reads it
  console.log(line);
}
