/** The head of a request to a proxy. Pure. */

export interface ForwardedRequest {
  readonly host: string;
  readonly port: number;
  /** The value of `Proxy-Authorization`. */
  readonly authorization: string | undefined;
  /** The head as the host shall have it; `undefined` for CONNECT, after which the connection is the client's. */
  readonly onward: string | undefined;
}

/** Fields that are between the client and its proxy. */
const ofProxy = new Set([
  "connection",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
]);

/** @param head Without its empty line. `undefined`: it is no request to a proxy. */
export function readForwarded(head: string): ForwardedRequest | undefined {
  const [start = "", ...lines] = head.split("\r\n");
  const [, method, target = "", version] =
    /^([!#$%&'*+.^_`|~\w-]+) (\S+) (HTTP\/1\.[01])$/.exec(start) ?? [];
  const fields = lines.map((line) => ({ line, name: nameOf(line) }));
  if (version === undefined || fields.some(({ name }) => name === "")) return;
  const valuesOf = (wanted: string) =>
    fields.filter(({ name }) => name === wanted)
      .map(({ line }) => line.slice(wanted.length + 1).trim());
  const [authorization] = valuesOf("proxy-authorization");
  if (method === "CONNECT") {
    const url = parse(`http://${target}`);
    if (url === undefined || !/:\d+$/.test(target)) return undefined;
    const port = Number(target.slice(target.lastIndexOf(":") + 1));
    return { host: hostOf(url), port, authorization, onward: undefined };
  }
  const url = parse(target);
  // Where no host stands, URL parsers look for one in the path.
  if (url === undefined || !/^http:\/\/[^/?#]/i.test(target)) return undefined;
  const options = valuesOf("connection").flatMap((value) =>
    value.toLowerCase().split(/[\s,]+/)
  );
  // A client that changes the protocol says so in a field that its own Connection field names.
  const upgrades = options.includes("upgrade");
  const dropped = new Set([...ofProxy, ...options]);
  if (upgrades) dropped.delete("upgrade");
  const kept = fields.filter(({ name }) =>
    !dropped.has(name) && name !== "host"
  ).map(({ line }) => line);
  const onward = [
    `${method} ${pathOf(target)} ${version}`,
    `Host: ${url.host}`,
    ...kept,
    `Connection: ${upgrades ? "upgrade" : "close"}`,
  ].map((line) => `${line}\r\n`).join("") + "\r\n";
  return {
    host: hostOf(url),
    port: Number(url.port || 80),
    authorization,
    onward,
  };
}

/** In lower case; empty for a line that is no field. */
function nameOf(line: string): string {
  return /^([!#$%&'*+.^_`|~\w-]+):/.exec(line)?.[1]?.toLowerCase() ?? "";
}

function parse(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** An address of IPv6 without its brackets. */
function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}

/** Path and query as the client wrote them, which a parsed URL may not have. */
function pathOf(target: string): string {
  const rest = target.replace(/^http:\/\/[^/?#]*/i, "").replace(/#.*$/, "");
  return rest.startsWith("/") ? rest : `/${rest}`;
}
