/**
 * The process inside of the namespaces of `tp run`: it holds the TUN device, and has the process outside dial.
 *
 * 1. It meets the outer process at a Unix socket, which is seen from every network namespace.
 * 2. Loopback, device, routes and the files that tell of names are set; how that went is reported.
 * 3. A session begins on the same connection: a stream of it is a flow of an app, opened with the manager's own targets.
 *    Credit, half-close, resets and refusals are those of the tunnel.
 * 4. Packets become streams (`vpn/`); a stream that the outer process opens is a connection to a port of the app
 *    (`published.ts`), or datagrams of a peer in the cluster that has heard of the app.
 *
 * When the other end of the socket is gone, so is the session, and this process has nothing left to do.
 */
import { product } from "../build.ts";
import {
  BroughtFlows,
  encodeTarget,
  type TakeBrought,
} from "../manager/api.ts";
import {
  type Conn,
  type Endpoint,
  type Ip,
  RefusedError,
  Subnet,
  writeAll,
} from "../net/mod.ts";
import { UnixConn } from "../tcp/mod.ts";
import {
  createIdentity,
  dialSession,
  type Incoming,
  type Session,
} from "../tunnel/mod.ts";
import {
  type DeviceInfo,
  type DevicePlan,
  type DialOptions,
  openNamespaceDevice,
  startVpn,
  type Vpn,
} from "../vpn/mod.ts";
import {
  files,
  type InsidePlan,
  type InsideReport,
  limits,
  roles,
} from "./api.ts";
import { coverNames } from "./mounts_linux.ts";
import { endProcesses, netnsOf } from "./processes_linux.ts";
import { answerPublished } from "./published.ts";

export { unprivileged } from "./unshare_linux.ts";

/** Bytes of the largest packet; segmentation offload carries larger ones through the device. */
const mtu = 1500;

/** The network of the namespace, which works. Dispose of it to end it, and all other processes in the namespace. */
export interface Inside extends AsyncDisposable {
  /** Resolves when the process outside is gone. */
  readonly ended: Promise<unknown>;
  /** Ends all other processes in the namespace. */
  endProcesses(): Promise<void>;
}

/**
 * @param directory Where the outer process has put {@link files}.
 * @returns `undefined` when the kernel did not let us; the outer process knows why.
 * @throws {Error} when the outer process is gone.
 */
export async function enter(directory: string): Promise<Inside | undefined> {
  const path = `${directory}/${files.socket}`;
  const conn = new UnixConn(await Deno.connect({ transport: "unix", path }));
  let device;
  let netns;
  try {
    netns = await netnsOf("self");
    if (netns === undefined) throw new Error("Cannot read /proc/self/ns/net");
    device = await openNamespaceDevice(await readPlan(directory));
    coverNames({
      resolvConf: `${directory}/${files.resolvConf}`,
      hosts: `${directory}/${files.hosts}`,
    });
  } catch (error) {
    const { message } = error as Error;
    await report(conn, { state: "failed", cause: message });
    conn.close();
    return undefined;
  }
  await report(conn, { state: "ready", netns });
  await conn.read(new Uint8Array(1));
  const brought = new BroughtFlows();
  const session = await dialOnce(conn, (incoming) => {
    if (!brought.serve(incoming)) void answerPublished(incoming);
  });
  const vpn = await startVpn({ device, ...dialsOf(session) });
  brought.takeBy(takerOf(vpn, device));
  const own = netns;
  return {
    ended: session.ended,
    endProcesses: () => endProcesses(own),
    async [Symbol.asyncDispose]() {
      await endProcesses(own);
      await vpn.stop();
      session.close();
      await session.ended;
    },
  };
}

async function report(conn: Conn, what: InsideReport): Promise<void> {
  await writeAll(conn, new TextEncoder().encode(JSON.stringify(what) + "\n"));
}

async function readPlan(directory: string): Promise<DevicePlan> {
  const text = await Deno.readTextFile(`${directory}/${files.plan}`);
  const { v4, v6 }: InsidePlan = JSON.parse(text);
  return {
    mtu,
    v4: roles(Subnet.parse(v4)),
    ...v6 === undefined ? {} : { v6: roles(Subnet.parse(v6)) },
  };
}

/** A session on this connection alone: without it there is nobody to go on with. */
function dialOnce(
  conn: Conn,
  serve: (incoming: Incoming) => void,
): Promise<Session> {
  let carrier: Conn | undefined = conn;
  return createIdentity().then((identity) =>
    dialSession({
      identity,
      product,
      limits,
      serve,
      dial: () => {
        const taken = carrier;
        carrier = undefined;
        if (taken) return Promise.resolve(taken);
        const why = "The process outside is gone";
        return Promise.reject(new RefusedError("gone", why));
      },
    })
  );
}

/** Takes what peers begin with apps that have sent to others, from addresses that are not the device's. */
function takerOf(vpn: Vpn, { v4, v6 }: DeviceInfo): TakeBrought {
  const isElsewhere = (ip: Ip) =>
    [v4, v6].every((own) => !own?.subnet.contains(ip));
  return ({ source: app, ...service }, incoming) => {
    if (!isElsewhere(service.ip) || !vpn.hasDatagrams(app, isElsewhere)) {
      throw new RefusedError("refused", "Nobody has sent from there");
    }
    const accept = () => incoming.acceptDatagrams();
    vpn.takeDatagrams({ app, service }, accept);
    return Promise.resolve();
  };
}

function dialsOf(session: Session) {
  return {
    dial: (
      { ip, port }: Endpoint,
      { signal }: DialOptions,
    ) => session.open(encodeTarget({ kind: "tcp", ip, port }), { signal }),
    dialDatagrams: (
      { ip, port }: Endpoint,
      { from: source, signal }: DialOptions,
    ) =>
      session.openDatagrams(encodeTarget({ kind: "udp", ip, port, source }), {
        signal,
      }),
    dialEchoes: (ip: Ip, { signal }: DialOptions) =>
      session.openDatagrams(encodeTarget({ kind: "echo", ip }), { signal }),
  };
}
