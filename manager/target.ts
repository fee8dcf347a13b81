import { type Endpoint, Ip } from "../net/mod.ts";
import {
  decodeInterceptedTarget,
  encodeInterceptedTarget,
  type InterceptedTarget,
} from "./agent_api.ts";
import { type LogWish, logWishOf, wishedLevels } from "./log_wish.ts";
import { isName } from "./world.ts";

/** What the opener of a stream wants of the manager. */
export type Target =
  /** A TCP connection; the stream is its bytes. */
  | { readonly kind: "tcp"; readonly ip: Ip; readonly port: number }
  | UdpTarget
  /** Requests of ICMP echo and the replies to them; the stream carries each as a datagram (`net/packet/echo.ts`). */
  | { readonly kind: "echo"; readonly ip: Ip }
  /** The cluster DNS's answer to one raw DNS message; the stream is that answer, then its end. */
  | { readonly kind: "lookup"; readonly query: Uint8Array }
  /**
   * The manager's view of the cluster; the stream is a line of JSON at once, and one for each change of it. With
   * `namespaces` it is of these alone, and holds the addresses in them.
   */
  | { readonly kind: "world"; readonly namespaces?: readonly string[] }
  /** Where carriers can join the session directly; lines as for the view. */
  | { readonly kind: "direct" }
  /** More of the manager's own log, for a while; the stream ends when it is so. */
  | LogWish
  /** What an agent gives, of a workload that the asker has an intercept on. */
  | InterceptedTarget;

/** A UDP flow with a peer in the cluster; the stream carries its datagrams. */
export interface UdpTarget extends Endpoint {
  readonly kind: "udp";
  /**
   * Whose flow it is on the laptop, of the peer's family. All of one source leave by one port of the manager. Who sends to
   * that port without being a peer becomes one: the manager opens a stream to the laptop with this target, too.
   */
  readonly source?: Endpoint;
}

const codes = {
  tcp: 1,
  udp: 2,
  lookup: 3,
  world: 4,
  direct: 5,
  pod: 6,
  log: 7,
  echo: 8,
} as const;

/**
 * Writes a target: an octet that tells the kind, then address and port in network order (of a UDP flow's peer, then of its
 * source), the address, the query, or names with commas between them.
 */
export function encodeTarget(target: Target): Uint8Array {
  const code = codes[target.kind];
  switch (target.kind) {
    case "tcp":
      return new Uint8Array([code, ...encodeEndpoint(target)]);
    case "udp": {
      const { source } = target;
      const own = source ? encodeEndpoint(source) : [];
      return new Uint8Array([code, ...encodeEndpoint(target), ...own]);
    }
    case "echo":
      return new Uint8Array([code, ...target.ip.bytes]);
    case "lookup": {
      const bytes = new Uint8Array(1 + target.query.length);
      bytes[0] = code;
      bytes.set(target.query, 1);
      return bytes;
    }
    case "world": {
      const names = (target.namespaces ?? []).join(",");
      return new Uint8Array([code, ...new TextEncoder().encode(names)]);
    }
    case "direct":
      return new Uint8Array([code]);
    case "log":
      return encodeLogWish(code, target);
    case "pod":
      return new Uint8Array([code, ...encodeInterceptedTarget(target)]);
  }
}

/** Reads a target; `undefined` for one that this release does not know. Octets of a query are not copied. */
export function decodeTarget(bytes: Uint8Array): Target | undefined {
  const body = bytes.subarray(1);
  switch (bytes[0]) {
    case codes.tcp: {
      const to = decodeEndpoint(body);
      return to && { kind: "tcp", ...to };
    }
    case codes.udp:
      return decodeUdp(body);
    case codes.echo:
      return isAddress(body) ? { kind: "echo", ip: Ip.of(body) } : undefined;
    case codes.lookup:
      return { kind: "lookup", query: body };
    case codes.world:
      return decodeWorld(body);
    case codes.direct:
      return body.length === 0 ? { kind: "direct" } : undefined;
    case codes.log:
      return decodeLogWish(body);
    case codes.pod:
      return decodeInterceptedTarget(body);
    default:
      return undefined;
  }
}

/** An octet for the level, four for the seconds. */
function encodeLogWish(code: number, { level, seconds }: LogWish): Uint8Array {
  const bytes = new Uint8Array([code, wishedLevels.indexOf(level), 0, 0, 0, 0]);
  new DataView(bytes.buffer).setUint32(2, seconds);
  return bytes;
}

function decodeLogWish(body: Uint8Array): LogWish | undefined {
  if (body.length !== 5) return undefined;
  const seconds = new DataView(body.buffer, body.byteOffset).getUint32(1);
  return logWishOf({ level: wishedLevels[body[0]!], seconds });
}

function decodeWorld(body: Uint8Array): Target | undefined {
  if (body.length === 0) return { kind: "world" };
  const namespaces = new TextDecoder().decode(body).split(",");
  return namespaces.every(isName) ? { kind: "world", namespaces } : undefined;
}

/** The octets of a peer, or as many of a peer and a source. */
function decodeUdp(body: Uint8Array): UdpTarget | undefined {
  const alone = decodeEndpoint(body);
  if (alone) return { kind: "udp", ...alone };
  const half = body.length / 2;
  const to = decodeEndpoint(body.subarray(0, half));
  const source = decodeEndpoint(body.subarray(half));
  return to && source && { kind: "udp", ...to, source };
}

function encodeEndpoint({ ip, port }: Endpoint): number[] {
  return [...ip.bytes, port >> 8, port & 0xff];
}

function decodeEndpoint(octets: Uint8Array): Endpoint | undefined {
  const portAt = octets.length - 2;
  const address = octets.subarray(0, Math.max(0, portAt));
  if (!isAddress(address)) return undefined;
  const port = octets[portAt]! << 8 | octets[portAt + 1]!;
  return port === 0 ? undefined : { ip: Ip.of(address), port };
}

function isAddress({ length }: Uint8Array): boolean {
  return length === 4 || length === 16;
}
