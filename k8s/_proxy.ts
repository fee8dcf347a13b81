/** Which proxy stands between the laptop and the API server. Pure. */
import { Ip, Subnet } from "../net/mod.ts";

/**
 * The proxy for `server` by the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, either case), if any: the rules
 * of Go's `golang.org/x/net/http/httpproxy`, which kubectl follows.
 *
 * @throws {SyntaxError} when the variable is no URL.
 */
export function proxyFromEnv(
  server: URL,
  env: Record<string, string>,
): URL | undefined {
  const read = (name: string) => env[name] || env[name.toLowerCase()] || "";
  const text = read(
    server.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY",
  );
  if (text === "" || isExempt(server, read("NO_PROXY"))) return undefined;
  return parseProxy(text);
}

/**
 * Parses a proxy's URL; text without a scheme means http.
 *
 * @throws {SyntaxError} when it is no URL, or of a scheme that is none of http, https, socks5, socks5h.
 */
export function parseProxy(text: string): URL {
  const url = URL.parse(
    /^[a-z0-9]+:\/\//i.test(text) ? text : `http://${text}`,
  );
  if (url === null || !/^(https?|socks5h?):$/.test(url.protocol)) {
    throw new SyntaxError(`Cannot parse proxy "${text}"`);
  }
  return url;
}

function isExempt(server: URL, noProxy: string): boolean {
  const host = bareHost(server);
  const ip = Ip.tryParse(host);
  if (host === "localhost" || ip?.isLoopback) return true;
  return noProxy.split(",").map((entry) => entry.trim().toLowerCase())
    .some((entry) => matches(entry, { host, port: portOf(server), ip }));
}

function matches(
  entry: string,
  { host, port, ip }: { host: string; port: number; ip: Ip | undefined },
): boolean {
  if (entry === "") return false;
  if (entry === "*") return true;
  if (entry.includes("/")) {
    return ip !== undefined && parseSubnet(entry)?.contains(ip) === true;
  }
  const [, name = entry, only] = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry) ?? [];
  if (only !== undefined && Number(only) !== port) return false;
  const bare = name.replace(/^\[|\]$/g, "");
  if (ip !== undefined) return Ip.tryParse(bare)?.equals(ip) === true;
  const suffix = bare.replace(/^\*?\.?/, ".");
  return `.${host}`.endsWith(suffix) &&
    (host.length >= suffix.length || !/^\*?\./.test(bare));
}

function parseSubnet(text: string): Subnet | undefined {
  try {
    return Subnet.parse(text);
  } catch {
    return undefined;
  }
}

/** The host without the brackets of IPv6. */
export function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
}

/** The port, also where the URL leaves it to its scheme. */
export function portOf(url: URL): number {
  if (url.port !== "") return Number(url.port);
  if (url.protocol.startsWith("socks")) return 1080;
  return url.protocol === "https:" ? 443 : 80;
}
