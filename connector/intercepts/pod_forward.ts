/** Ports of an intercepted pod's loopback address, on the laptop's loopback address. */
import { createSocket } from "node:dgram";
import { logger } from "../../log.ts";
import type { PodPort } from "../../manager/api.ts";
import { pipe, systemClock } from "../../net/mod.ts";
import { acceptLoop, TcpConn } from "../../tcp/mod.ts";
import { ConnectError } from "../failure.ts";
import type { ManagerLink } from "../session/link.ts";
import { PodDatagrams } from "./pod_datagrams.ts";

const log = logger("connector");
const hostname = "127.0.0.1";
/** Flows of datagrams of one port; the oldest gives way. */
const maxFlows = 256;

export interface PodForwardOptions {
  link: Pick<ManagerLink, "use">;
  /** UID of the intercept. */
  intercept: string;
  port: PodPort;
}

/**
 * Listens on the laptop's port of the same number. Dispose of it to end that, with all that came by it.
 *
 * @throws {ConnectError} `pod-port-in-use`, `pod-port-denied`.
 */
export async function openPodForward(
  options: PodForwardOptions,
): Promise<Disposable> {
  const { port } = options;
  try {
    return port.protocol === "TCP"
      ? forwardTcp(options)
      : await forwardUdp(options);
  } catch (cause) {
    throw notForwarded(port, cause as Error);
  }
}

/** By the system's word for it, or Deno's. */
function notForwarded(
  { port, protocol }: PodPort,
  cause: Error & { code?: string },
): unknown {
  const isIn = (...words: string[]) =>
    words.includes(cause.name) || words.includes(cause.code ?? "");
  const [kind, state] = isIn("AddrInUse", "EADDRINUSE")
    ? ["pod-port-in-use", "is already in use on this laptop"] as const
    : isIn("PermissionDenied", "NotCapable", "EACCES", "EPERM")
    ? ["pod-port-denied", "is not open to this user of the laptop"] as const
    : [];
  if (kind === undefined) return cause;
  return new ConnectError({
    kind,
    cause: `Cannot forward port ${port}/${protocol} to the pod: port ` +
      `${hostname}:${port} ${state}`,
  }, { cause });
}

function forwardTcp({ link, intercept, port }: PodForwardOptions): Disposable {
  const listener = Deno.listen({ hostname, port: port.port });
  const conns = new Set<TcpConn>();
  const take = async (accepted: Deno.TcpConn) => {
    const conn = new TcpConn(accepted);
    conns.add(conn);
    try {
      const stream = await link.use((manager) =>
        manager.pod(intercept, { kind: "loopback", port })
      );
      await pipe(conn, stream);
    } catch (error) {
      log.debug("not forwarded to the pod", { port: port.port, error });
      conn.reset();
    } finally {
      conns.delete(conn);
    }
  };
  void acceptLoop(listener, {
    take: (conn) => void take(conn),
    onTrouble: (error) => log.warn("not accepted", { error }),
    clock: systemClock,
  });
  return {
    [Symbol.dispose]() {
      listener.close();
      for (const conn of conns) conn.reset();
    },
  };
}

async function forwardUdp(
  { link, intercept, port }: PodForwardOptions,
): Promise<Disposable> {
  const socket = createSocket("udp4");
  const bound = Promise.withResolvers<void>();
  socket.once("error", bound.reject);
  socket.bind(port.port, hostname, bound.resolve);
  try {
    await bound.promise;
  } catch (error) {
    socket.close();
    throw error;
  }
  socket.on("error", (error) => log.debug("datagram not sent", { error }));
  /** By the port of the laptop that they come from. */
  const flows = new Map<number, PodDatagrams>();
  const open = (from: number) => {
    if (flows.size >= maxFlows) {
      const [oldest] = flows;
      flows.delete(oldest![0]);
      oldest![1].close();
    }
    const opening = link.use((manager) =>
      manager.podDatagrams(intercept, { kind: "loopback", port })
    );
    const answer = (bytes: Uint8Array) => socket.send(bytes, from, hostname);
    const flow = new PodDatagrams(opening, answer);
    flows.set(from, flow);
    void flow.ended.then(() => {
      if (flows.get(from) === flow) flows.delete(from);
    });
    return flow;
  };
  socket.on("message", (message, { port: from }) => {
    (flows.get(from) ?? open(from)).send(message);
  });
  return {
    [Symbol.dispose]() {
      socket.close();
      for (const flow of flows.values()) flow.close();
    },
  };
}
