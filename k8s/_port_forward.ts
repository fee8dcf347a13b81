/**
 * A byte flow to a port inside a pod, by the API server's port-forward.
 *
 * 1. SPDY/3.1 inside a WebSocket: what kubectl does, and what most gateways let through.
 * 2. SPDY/3.1 on the bare connection: servers before 1.31, proxies that know no WebSocket.
 * 3. WebSocket channels: gateways that know only those; slow upwards.
 *
 * What worked is tried first the next time. A no that another way would not change is told at once.
 */
import { logger } from "../log.ts";
import { type Conn, ConnResetError, RefusedError } from "../net/mod.ts";
import { ChannelConn } from "./_channel.ts";
import { withDeadline } from "./_deadline.ts";
import { Outbox } from "./_outbox.ts";
import { dialMs, type Requests } from "./_requests.ts";
import { SpdyConn } from "./_spdy.ts";
import { upgrade, type Upgraded } from "./_upgrade.ts";
import { WebSocketSink, WebSocketSource } from "./_websocket.ts";
import { opcodes } from "./_websocket_frame.ts";
import { ApiError, type Question } from "./api_error.ts";
import { pathOf, resources } from "./resource.ts";
import { ObstacleError } from "./unreachable.ts";

const log = logger("k8s");

export interface PortForwardOptions {
  namespace: string;
  pod: string;
  port: number;
  /** Calls the opening off. The flow, once open, is ended by closing it. */
  signal?: AbortSignal;
}

/** In the order they are tried. */
export const portForwardWays = ["spdy-websocket", "spdy", "channel"] as const;
/** How the bytes travel to the API server. */
export type PortForwardWay = typeof portForwardWays[number];

/** One way may take this long, in ms: from the dialling to the pod's taking the streams. */
const openMs = dialMs + 10_000;

type Target = Omit<PortForwardOptions, "signal">;

export class PortForwarder {
  readonly #requests: Requests;
  #way: PortForwardWay | undefined;

  /** @param way Tried first. */
  constructor(requests: Requests, way?: PortForwardWay) {
    this.#requests = requests;
    this.#way = way;
  }

  /** What worked the last time. */
  get way(): PortForwardWay | undefined {
    return this.#way;
  }

  async open({ signal, ...target }: PortForwardOptions): Promise<Conn> {
    const errors: unknown[] = [];
    const first = this.#way;
    const ways = first
      ? [first, ...portForwardWays.filter((way) => way !== first)]
      : portForwardWays;
    for (const way of ways) {
      if (isForbidden(errors[0]) && way !== "spdy") continue;
      try {
        const conn = await this.#tryWay(way, {
          ...target,
          ...signal ? { signal } : {},
        });
        this.#way = way;
        return conn;
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        log.debug("port-forward failed", { way, error });
        errors.push(error);
        if (!mayAnotherWayHelp(error)) break;
      }
    }
    throw this.#requests.sorted(mostTelling(errors), signal);
  }

  #tryWay(
    way: PortForwardWay,
    { signal, ...target }: PortForwardOptions,
  ): Promise<Conn> {
    const { clock } = this.#requests;
    return withDeadline({ ms: openMs, clock, signal }, async (signal) => {
      const upgraded = await ways[way].upgrade(this.#requests, target, signal);
      const close = () => upgraded.conn.close();
      signal.addEventListener("abort", close, { once: true });
      try {
        return await ways[way].start(upgraded, target);
      } catch (error) {
        close();
        throw error;
      } finally {
        signal.removeEventListener("abort", close);
      }
    });
  }
}

interface Way {
  upgrade(
    requests: Requests,
    target: Target,
    signal: AbortSignal,
  ): Promise<Upgraded>;
  start(upgraded: Upgraded, target: Target): Promise<Conn>;
}

const ways: Record<PortForwardWay, Way> = {
  "spdy-websocket": {
    upgrade: (requests, target, signal) =>
      upgradeToWebSocket(requests, {
        target,
        protocol: "SPDY/3.1+portforward.k8s.io",
        signal,
      }),
    start({ conn, source: below }, { port }) {
      const sink = new WebSocketSink(new Outbox(conn));
      const source = new WebSocketSource(below, sink);
      const answer = (frame: Uint8Array) =>
        sink.sendShort(opcodes.binary, frame);
      return SpdyConn.open({ conn, source, sink, answer }, port);
    },
  },
  spdy: {
    upgrade: (requests, target, signal) =>
      upgrade(requests, {
        question: question("create", target),
        method: "POST",
        path: path(target),
        headers: [
          ["Connection", "Upgrade"],
          ["Upgrade", "SPDY/3.1"],
          ["X-Stream-Protocol-Version", "portforward.k8s.io"],
          ["Content-Length", "0"],
        ],
      }, signal),
    start({ conn, source }, { port }) {
      const sink = new Outbox(conn);
      const answer = (frame: Uint8Array) => sink.sendShort(frame);
      return SpdyConn.open({ conn, source, sink, answer }, port);
    },
  },
  channel: {
    upgrade: (requests, target, signal) =>
      upgradeToWebSocket(requests, {
        target,
        protocol: "v4.channel.k8s.io",
        query: { ports: target.port },
        signal,
      }),
    start({ conn, source: below }) {
      const sink = new WebSocketSink(new Outbox(conn));
      const source = new WebSocketSource(below, sink);
      return ChannelConn.open({ conn, source, sink });
    },
  },
};

async function upgradeToWebSocket(
  requests: Requests,
  { target, protocol, query, signal }: {
    target: Target;
    protocol: string;
    query?: Record<string, number>;
    signal: AbortSignal;
  },
): Promise<Upgraded> {
  const key = crypto.getRandomValues(new Uint8Array(16)).toBase64();
  const upgraded = await upgrade(requests, {
    question: question("get", target),
    method: "GET",
    path: path(target),
    ...query ? { query } : {},
    headers: [
      ["Connection", "Upgrade"],
      ["Upgrade", "websocket"],
      ["Sec-WebSocket-Version", "13"],
      ["Sec-WebSocket-Key", key],
      ["Sec-WebSocket-Protocol", protocol],
    ],
  }, signal);
  const { conn, headers } = upgraded;
  const agreed = headers.get("sec-websocket-accept") === await acceptOf(key) &&
    headers.get("sec-websocket-protocol") === protocol;
  if (agreed) return upgraded;
  conn.close();
  const detail = `the server does not agree to ${protocol}`;
  throw new ObstacleError({ kind: "protocol", detail });
}

/** What proves that the server understood the key (RFC 6455 section 4.2.2). */
async function acceptOf(key: string): Promise<string> {
  const text = `${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const bytes = new TextEncoder().encode(text);
  return new Uint8Array(await crypto.subtle.digest("SHA-1", bytes)).toBase64();
}

function path({ namespace, pod: name }: Target): string {
  return pathOf(resources.pods, {
    namespace,
    name,
    subresource: "portforward",
  });
}

function question(verb: string, { namespace, pod: name }: Target): Question {
  return { verb, resource: "pods/portforward", group: "", namespace, name };
}

/**
 * A WebSocket needs the verb `get`, the bare upgrade `create`, and rights are often given for one of them: so a
 * refusal of the first is asked once more in the second's words. No other refusal of rights, or of the pod, is passed by.
 */
function mayAnotherWayHelp(error: unknown): boolean {
  if (error instanceof ApiError) {
    const { status, reason, verb } = error;
    if (status === 401 || reason === "NotFound") return false;
    return status !== 403 || verb === "get";
  }
  if (error instanceof ObstacleError) {
    return error.obstacle.kind === "protocol" ||
      error.obstacle.kind === "reset";
  }
  return error instanceof ConnResetError;
}

function isForbidden(error: unknown): boolean {
  return error instanceof ApiError && error.status === 403;
}

/** The server's own words before those about the connection. */
function mostTelling(errors: unknown[]): unknown {
  return errors.find((error) => error instanceof ApiError) ??
    errors.find((error) => error instanceof RefusedError) ?? errors[0];
}
