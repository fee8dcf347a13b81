/** A way through a proxy, over a connection to it: HTTP CONNECT (RFC 9110 section 9.3.6) or SOCKS5 (RFC 1928, 1929). */
import { type Conn, Ip, writeAll } from "../net/mod.ts";
import { ConnSource } from "./_byte_source.ts";
import { encodeRequestHead, readResponseHead } from "./_http_head.ts";
import { ObstacleError } from "./unreachable.ts";

/** The server at the far side. */
export interface TunnelTarget {
  /** A name or an address without brackets. */
  host: string;
  port: number;
}

/**
 * Has the proxy behind `conn` connect to `target`; what is written to `conn` afterwards goes there.
 *
 * @param proxy Its URL: scheme, user and password are used.
 * @throws {ObstacleError} `proxy`.
 */
export function openTunnel(
  conn: Conn,
  { proxy, target }: { proxy: URL; target: TunnelTarget },
): Promise<void> {
  return proxy.protocol.startsWith("socks")
    ? openSocksTunnel(conn, { proxy, target })
    : openHttpTunnel(conn, { proxy, target });
}

async function openHttpTunnel(
  conn: Conn,
  { proxy, target: { host, port } }: { proxy: URL; target: TunnelTarget },
): Promise<void> {
  const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const headers: [string, string][] = [["Host", authority]];
  if (proxy.username !== "") {
    const { user, password } = login(proxy);
    const basic = new TextEncoder().encode(`${user}:${password}`).toBase64();
    headers.push(["Proxy-Authorization", `Basic ${basic}`]);
  }
  await writeAll(
    conn,
    encodeRequestHead({ method: "CONNECT", target: authority, headers }),
  );
  const head = await readResponseHead(new ConnSource(conn, 16 * 1024));
  if (head === undefined) throw refused(proxy, "it hung up");
  if (head.status < 200 || head.status > 299) {
    throw refused(proxy, `it answers with HTTP status ${head.status}`);
  }
}

/** Reply codes of RFC 1928 section 6. */
const socksReplies = [
  "",
  "it failed",
  "its rules forbid it",
  "the network is unreachable from it",
  "the host is unreachable from it",
  "the connection was refused",
  "no answer came to it in time",
];

async function openSocksTunnel(
  conn: Conn,
  { proxy, target: { host, port } }: { proxy: URL; target: TunnelTarget },
): Promise<void> {
  const source = new ConnSource(conn, 1024);
  const take = async (count: number): Promise<Uint8Array> => {
    while (source.peek().length < count) {
      if (!await source.fill()) throw refused(proxy, "it hung up");
    }
    const bytes = source.peek().slice(0, count);
    source.consume(count);
    return bytes;
  };
  const withLogin = proxy.username !== "";
  // Version 5, one method: 2 = user and password, 0 = none.
  await writeAll(conn, new Uint8Array([5, 1, withLogin ? 2 : 0]));
  const [, method] = await take(2);
  if (method !== (withLogin ? 2 : 0)) {
    throw refused(proxy, "it wants another way to log in");
  }
  if (withLogin) {
    const { user, password } = login(proxy);
    await writeAll(
      conn,
      new Uint8Array([1, ...sized(user), ...sized(password)]),
    );
    const [, status] = await take(2);
    if (status !== 0) throw refused(proxy, "it refuses user and password");
  }
  const ip = Ip.tryParse(host);
  const address = ip === undefined
    ? [3, ...sized(host)]
    : [ip.family === 4 ? 1 : 4, ...ip.bytes];
  // Version 5, command 1 = connect, reserved, type of address, address, port.
  await writeAll(
    conn,
    new Uint8Array([5, 1, 0, ...address, port >> 8, port & 0xff]),
  );
  const [, reply, , type] = await take(4);
  if (reply !== 0) {
    throw refused(proxy, socksReplies[reply!] ?? `it answers with ${reply}`);
  }
  const length = type === 1 ? 4 : type === 4 ? 16 : (await take(1))[0]!;
  await take(length + 2);
}

function login(proxy: URL): { user: string; password: string } {
  return {
    user: decodeURIComponent(proxy.username),
    password: decodeURIComponent(proxy.password),
  };
}

/** A length octet and the text. */
function sized(text: string): number[] {
  const bytes = new TextEncoder().encode(text).subarray(0, 255);
  return [bytes.length, ...bytes];
}

function refused(proxy: URL, detail: string): ObstacleError {
  return new ObstacleError({
    kind: "proxy",
    detail: `proxy "${proxy.host}" lets nothing through: ${detail}`,
  });
}
