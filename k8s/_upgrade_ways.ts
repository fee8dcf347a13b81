/** The ways to a pod over an upgraded connection of our own to the API server. */
import type { Conn } from "../net/mod.ts";
import { ChannelConn } from "./_channel.ts";
import { ExecConn } from "./_exec.ts";
import { Outbox } from "./_outbox.ts";
import type { Query, Requests } from "./_requests.ts";
import { SpdyConn } from "./_spdy.ts";
import { upgrade, type Upgraded } from "./_upgrade.ts";
import type { Target, Way } from "./_way.ts";
import { WebSocketSink, WebSocketSource } from "./_websocket.ts";
import { opcodes } from "./_websocket_frame.ts";
import type { Question } from "./api_error.ts";
import { pathOf, resources } from "./resource.ts";
import { ObstacleError } from "./unreachable.ts";

/** SPDY/3.1 inside a WebSocket. */
export const spdyWebSocketWay: Way = upgradeWay({
  upgrade: (requests, target, signal) =>
    upgradeToWebSocket(requests, {
      ...{ target, subresource: "portforward" },
      protocols: ["SPDY/3.1+portforward.k8s.io"],
      signal,
    }),
  start(upgraded, { port }) {
    const { conn, source, sink } = webSocketOver(upgraded);
    const answer = (frame: Uint8Array) => sink.sendShort(opcodes.binary, frame);
    return SpdyConn.open({ conn, source, sink, answer }, port);
  },
});

/** SPDY/3.1 on the bare connection. */
export const spdyWay: Way = upgradeWay({
  upgrade: (requests, target, signal) =>
    upgrade(requests, {
      ...place(target, { verb: "create", subresource: "portforward" }),
      method: "POST",
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
});

/** WebSocket channels. */
export const channelWay: Way = upgradeWay({
  upgrade: (requests, target, signal) =>
    upgradeToWebSocket(requests, {
      ...{ target, subresource: "portforward" },
      protocols: ["v4.channel.k8s.io"],
      query: { ports: target.port },
      signal,
    }),
  start: (upgraded) => ChannelConn.open(webSocketOver(upgraded)),
});

/** Ends of a direction travel since v5. */
const execProtocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

/** The bridge, run in the pod. The target has one. */
export const execWay: Way = upgradeWay({
  upgrade: (requests, target, signal) =>
    upgradeToWebSocket(requests, {
      ...{ target, subresource: "exec", protocols: execProtocols },
      query: {
        ...target.bridge,
        ...{ stdin: true, stdout: true, stderr: true },
      },
      signal,
    }),
  start(upgraded) {
    return openExec(upgraded, { isBridge: true });
  },
});

/** Runs a command in a pod that reads nothing; what it writes to its standard output is the flow. */
export async function runInPod(
  requests: Requests,
  { namespace, pod, ...command }: {
    namespace: string;
    pod: string;
    container: string;
    command: string[];
  },
  signal: AbortSignal,
): Promise<Conn> {
  const upgraded = await upgradeToWebSocket(requests, {
    ...{ target: { namespace, pod }, subresource: "exec" },
    ...{ protocols: execProtocols, signal },
    query: { ...command, stdout: true, stderr: true },
  });
  return await openExec(upgraded, { isBridge: false });
}

function openExec(
  upgraded: Upgraded,
  { isBridge }: { isBridge: boolean },
): Promise<ExecConn> {
  const protocol = upgraded.headers.get("sec-websocket-protocol");
  const knowsEnds = protocol === execProtocols[0];
  return ExecConn.open({ ...webSocketOver(upgraded), knowsEnds, isBridge });
}

interface UpgradeWay {
  upgrade(
    requests: Requests,
    target: Target,
    signal: AbortSignal,
  ): Promise<Upgraded>;
  start(upgraded: Upgraded, target: Target): Promise<Conn>;
}

/** The way that upgrades, then starts; what aborts closes the connection. */
function upgradeWay({ upgrade, start }: UpgradeWay): Way {
  return {
    async open(requests, target, signal) {
      const upgraded = await upgrade(requests, target, signal);
      const close = () => upgraded.conn.close();
      signal.addEventListener("abort", close, { once: true });
      try {
        return await start(upgraded, target);
      } catch (error) {
        close();
        throw error;
      } finally {
        signal.removeEventListener("abort", close);
      }
    },
  };
}

function webSocketOver({ conn, source: below }: Upgraded) {
  const sink = new WebSocketSink(new Outbox(conn));
  return { conn, source: new WebSocketSource(below, sink), sink };
}

type Subresource = "portforward" | "exec";

async function upgradeToWebSocket(
  requests: Requests,
  { target, subresource, protocols, query, signal }: {
    target: Pick<Target, "namespace" | "pod">;
    subresource: Subresource;
    /** The first that the server knows is agreed to. */
    protocols: string[];
    query?: Query;
    signal: AbortSignal;
  },
): Promise<Upgraded> {
  const key = crypto.getRandomValues(new Uint8Array(16)).toBase64();
  const upgraded = await upgrade(requests, {
    ...place(target, { verb: "get", subresource }),
    method: "GET",
    ...query ? { query } : {},
    headers: [
      ["Connection", "Upgrade"],
      ["Upgrade", "websocket"],
      ["Sec-WebSocket-Version", "13"],
      ["Sec-WebSocket-Key", key],
      ["Sec-WebSocket-Protocol", protocols.join(", ")],
    ],
  }, signal);
  const { conn, headers } = upgraded;
  const protocol = headers.get("sec-websocket-protocol") ?? "";
  const agreed = headers.get("sec-websocket-accept") === await acceptOf(key) &&
    protocols.includes(protocol);
  if (agreed) return upgraded;
  conn.close();
  const detail = `the server does not agree to ${protocols.join(" or ")}`;
  throw new ObstacleError({ kind: "protocol", detail });
}

/** What proves that the server understood the key (RFC 6455 section 4.2.2). */
async function acceptOf(key: string): Promise<string> {
  const text = `${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const bytes = new TextEncoder().encode(text);
  return new Uint8Array(await crypto.subtle.digest("SHA-1", bytes)).toBase64();
}

/** Which object is asked for, and what RBAC calls that. */
function place(
  { namespace, pod: name }: Pick<Target, "namespace" | "pod">,
  { verb, subresource }: { verb: string; subresource: Subresource },
): { path: string; question: Question } {
  const resource = `pods/${subresource}`;
  return {
    path: pathOf(resources.pods, { namespace, name, subresource }),
    question: { verb, resource, group: "", namespace, name },
  };
}
