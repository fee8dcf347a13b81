/**
 * A connection to the API server.
 *
 * 1. TCP to the server, or to the proxy and through it.
 * 2. TLS by the runtime where its rules are as strict as the kubeconfig's, else by `node:tls`.
 */
import { type Conn, Ip, Subnet, unlessAborted } from "../net/mod.ts";
import { connectSoon } from "./_connect.ts";
import { DenoConn } from "./_deno_conn.ts";
import { setNoDelay } from "./_no_delay.ts";
import { bareHost, portOf } from "./_proxy.ts";
import { openTunnel } from "./_proxy_tunnel.ts";
import type { ClusterAccess } from "./access.ts";
import type { ClientCertificate } from "./credential.ts";
import { systemAuthorities } from "./_system_authorities.ts";
import { ObstacleError, obstacleOf } from "./unreachable.ts";

export interface DialOptions {
  certificate?: ClientCertificate | undefined;
  signal: AbortSignal;
}

type Way = Pick<ClusterAccess, "server" | "proxy" | "trust">;

/**
 * Connects and shakes hands. Small writes are sent at once.
 *
 * @throws {ObstacleError} or the signal's reason.
 */
export async function dial(
  way: Way,
  { certificate, signal }: DialOptions,
): Promise<Conn> {
  const options = { ...certificate ? { certificate } : {}, signal };
  try {
    return await (mayUseRuntimeTls(way)
      ? dialRuntimeTls(way, options)
      : dialInSteps(way, options));
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof ObstacleError) throw cause;
    throw new ObstacleError(obstacleOf(cause), { cause });
  }
}

interface SureOptions {
  certificate?: ClientCertificate;
  signal: AbortSignal;
}

/** Addresses that no public authority certifies. */
const privateSubnets = [
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "::1/128",
  "fc00::/7",
].map((text) => Subnet.parse(text));

/**
 * The runtime's TLS costs half the CPU time of `node:tls`. But it trusts the public authorities besides the cluster's
 * own, so it serves only addresses that these cannot certify; and it knows neither proxies nor exceptions.
 */
function mayUseRuntimeTls({ server, proxy, trust }: Way): boolean {
  if (server.protocol !== "https:") return false;
  const { insecure, serverName, authority } = trust;
  if (proxy || insecure || serverName || !authority) return false;
  const host = bareHost(server);
  const ip = Ip.tryParse(host);
  return host === "localhost" ||
    ip !== undefined && privateSubnets.some((subnet) => subnet.contains(ip));
}

async function dialRuntimeTls(
  { server, trust }: Way,
  { certificate, signal }: SureOptions,
): Promise<Conn> {
  const address = { hostname: bareHost(server), port: portOf(server) };
  const conn = await connectSoon(
    () =>
      Deno.connectTls({
        ...address,
        ...trust.authority ? { caCerts: [trust.authority] } : {},
        ...certificate,
      }),
    { ...address, signal },
  );
  try {
    // Before the handshake: it has several small messages of ours in a row.
    setNoDelay(conn.localAddr);
    await unlessAborted(conn.handshake(), signal);
    return new DenoConn(conn);
  } catch (error) {
    conn.close();
    throw error;
  }
}

async function dialInSteps(
  { server, proxy, trust }: Way,
  { certificate, signal }: SureOptions,
): Promise<Conn> {
  const conn =
    await (proxy ? dialProxy(proxy, signal) : dialTcp(server, signal));
  const close = () => conn.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    signal.throwIfAborted();
    const below = proxy
      ? await throughProxy(conn, { proxy, server, signal })
      : conn;
    if (server.protocol === "http:") return below;
    const { startNodeTls } = await import("./_node_tls.ts");
    return await startNodeTls(below, {
      serverName: trust.serverName ?? bareHost(server),
      insecure: trust.insecure,
      authority: trust.authority ?? await systemAuthorities(),
      ...certificate ? { certificate } : {},
      signal,
    });
  } catch (error) {
    conn.close();
    throw error;
  } finally {
    signal.removeEventListener("abort", close);
  }
}

async function dialTcp(to: URL, signal: AbortSignal): Promise<Conn> {
  const address = { hostname: bareHost(to), port: portOf(to) };
  const conn = await connectSoon(
    () => Deno.connect({ ...address, signal }),
    { ...address, signal },
  );
  conn.setNoDelay(true);
  return new DenoConn(conn);
}

async function dialProxy(proxy: URL, signal: AbortSignal): Promise<Conn> {
  try {
    return await dialTcp(proxy, signal);
  } catch (cause) {
    signal.throwIfAborted();
    const detail = `proxy "${proxy.host}": ${obstacleOf(cause).detail}`;
    throw new ObstacleError({ kind: "proxy", detail }, { cause });
  }
}

async function throughProxy(
  conn: Conn,
  { proxy, server, signal }: { proxy: URL; server: URL; signal: AbortSignal },
): Promise<Conn> {
  let below = conn;
  if (proxy.protocol === "https:") {
    const { startNodeTls } = await import("./_node_tls.ts");
    below = await startNodeTls(conn, {
      serverName: bareHost(proxy),
      insecure: false,
      authority: await systemAuthorities(),
      signal,
    });
  }
  const target = { host: bareHost(server), port: portOf(server) };
  await openTunnel(below, { proxy, target });
  return below;
}
