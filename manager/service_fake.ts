import {
  type Conn,
  connPair,
  type Endpoint,
  Ip,
  type Refusal,
  RefusedError,
  systemClock,
} from "../net/mod.ts";
import type { OpenPingSocket } from "../tcp/mod.ts";
import {
  Acceptor,
  createIdentity,
  dialSession,
  type Incoming,
} from "../tunnel/mod.ts";
import { openManager } from "./client.ts";
import { ClusterDns } from "./cluster_dns.ts";
import type { DirectOffer } from "./direct_offer.ts";
import { Feed } from "./feed.ts";
import { Service } from "./service.ts";
import type { World } from "./world.ts";

export const loopback = Ip.parse("127.0.0.1");
export const forbiddenPort = 1;
/** A loopback address that the manager may not go to, and this machine has. */
export const forbiddenIp = Ip.parse("127.0.0.2");

/** A laptop's session with a manager whose cluster is this machine's loopback. */
export async function openServicePlace(
  { dnsPort = 9, direct, openPing = () => undefined, serve }: {
    dnsPort?: number;
    /** Answers streams that the manager opens. */
    serve?: (incoming: Incoming) => void;
    direct?: Feed<DirectOffer>;
    openPing?: OpenPingSocket;
  } = {},
) {
  const world = new Feed<World>();
  /** What a laptop sees that asks for some namespaces alone. */
  const part = new Feed<World>();
  const dns = new ClusterDns({
    nameservers: [loopback],
    port: dnsPort,
    clock: systemClock,
  });
  const whyForbidden = (to: Endpoint) =>
    to.port === forbiddenPort || to.ip.isLinkLocal || to.ip.equals(forbiddenIp)
      ? "not there"
      : undefined;
  const service = new Service({
    ...{ dns, world, direct, whyForbidden, openPing, clock: systemClock },
    worldOf: () => ({
      follow: (options) => part.follow(options),
      [Symbol.dispose]() {},
    }),
    servePod: () => Promise.reject(new RefusedError("gone", "a test")),
    onForbidden: () => {},
  });
  const [here, there] = connPair({ bufferBytes: 1024 * 1024 });
  const product = "tp/test";
  const acceptor = new Acceptor({
    product,
    onSession: (session) => (one) => service.serve(one, session),
  });
  const taken = acceptor.take(there);
  const session = await dialSession({
    dial: () => Promise.resolve(here),
    identity: await createIdentity(),
    product,
    ...serve ? { serve } : {},
  });
  return {
    ...{ world, part },
    service,
    session,
    manager: openManager(session),
    async [Symbol.asyncDispose]() {
      session.close();
      await Promise.all([session.ended, taken]);
      await acceptor.close();
      await service.drain();
      await service[Symbol.asyncDispose]();
    },
  };
}

export function refusedAs(refusal: Refusal) {
  return (error: unknown) =>
    error instanceof RefusedError && error.refusal === refusal;
}

export async function readAll(conn: Conn): Promise<number> {
  const buffer = new Uint8Array(64 * 1024);
  let total = 0;
  for (;;) {
    const read = await conn.read(buffer);
    if (read === null) return total;
    total += read;
  }
}
