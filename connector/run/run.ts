/**
 * A command in a network namespace of its own.
 *
 * 1. A subnet for its TUN device is chosen that no route of the laptop covers.
 * 2. The process inside is started (`inside/`), with files in which our DNS is the only nameserver.
 * 3. Each flow of the command comes as a stream, and is answered as the manager would: names by our DNS, the laptop's
 *    loopback by itself, addresses of the cluster through the manager, all else from this laptop.
 * 4. What connects to a published port of the laptop becomes a stream the other way, and so does a flow of datagrams that a
 *    peer in the cluster begins.
 * 5. The command's end is the end of it all.
 */
import { product } from "../../build.ts";
import {
  type InsidePlan,
  limits,
  NoInsideError,
  roles,
  startInside,
  whyNoNamespaces,
} from "../../inside/client.ts";
import { logger } from "../../log.ts";
import { encodeTarget } from "../../manager/api.ts";
import { type Conn, Ip, pipeDatagrams, Subnet } from "../../net/mod.ts";
import { Acceptor } from "../../tunnel/mod.ts";
import { pickTunSubnet, readHostRoutes } from "../../vpn/mod.ts";
import { hasIpv6 } from "../network/device.ts";
import type { Outbound } from "../outbound/mod.ts";
import { Dials } from "./dials.ts";
import { composeHosts, composeResolvConf } from "./files.ts";
import { answerFlow } from "./flows.ts";
import type { PublishedPorts } from "./published_ports.ts";
import { freshRunDirectory } from "./run_directory.ts";

export { NoInsideError };

const log = logger("connector");
/** The command's own. */
const loopback = Ip.parse("127.0.0.1");

export interface RunOptions {
  outbound: Outbound;
  /** Which lead to ports of its network from when it runs. */
  published: PublishedPorts;
  /** Called when the command is about to run, with who passes signals on to it. */
  onStart: (child: Pick<Deno.ChildProcess, "kill">) => void;
}

/**
 * Resolves to the exit code of the command, when that and whatever it left in its network have ended.
 *
 * @throws {NoInsideError} when this laptop does not let it have a network of its own; the command was not run.
 */
export async function runInside(
  command: readonly string[],
  { outbound, published, onStart }: RunOptions,
): Promise<number> {
  const why = await whyNoNamespaces();
  if (why !== undefined) throw new NoInsideError(why);
  const plan = await planDevice();
  const devices = [plan.v4, plan.v6].filter((text) => text !== undefined)
    .map((text) => roles(Subnet.parse(text)));
  const [{ dns, loopback }] = devices as [ReturnType<typeof roles>];
  const { conn, ended } = await startInside({
    directory: await freshRunDirectory(),
    plan,
    resolvConf: composeResolvConf(await readText("/etc/resolv.conf"), dns),
    hosts: composeHosts(await readText("/etc/hosts"), loopback),
    ...{ command, onStart },
  });
  void serve(conn, {
    outbound,
    dials: new Dials(outbound, devices),
    published,
  });
  return await ended;
}

async function planDevice(): Promise<InsidePlan> {
  const routes = await readHostRoutes();
  const subnet = (family: 4 | 6) => pickTunSubnet(routes, family).toString();
  return {
    v4: subnet(4),
    ...await hasIpv6() ? { v6: subnet(6) } : {},
  };
}

/** Answers the flows of the one session that begins on `conn`, until it is over. */
async function serve(
  conn: Conn,
  { outbound, dials, published }: {
    outbound: Outbound;
    dials: Dials;
    published: PublishedPorts;
  },
): Promise<void> {
  await using building = new AsyncDisposableStack();
  const acceptor = new Acceptor({
    product,
    limits: { ...limits, sessions: 1 },
    onSession: (session) => {
      published.serve((port) =>
        session.open(encodeTarget({ kind: "tcp", ip: loopback, port }))
      );
      building.use(
        outbound.takeBroughtBy(async (target, incoming) => {
          const wanted = encodeTarget({ kind: "udp", ...target });
          const { signal } = incoming;
          const flow = await session.openDatagrams(wanted, { signal });
          void pipeDatagrams(flow, incoming.acceptDatagrams());
        }),
      );
      return (incoming) => void answerFlow(incoming, dials);
    },
  });
  try {
    await acceptor.take(conn);
  } catch (error) {
    log.warn("the process inside is not understood", { error });
  }
}

/** A host may have no such file. */
async function readText(path: string): Promise<string> {
  return await Deno.readTextFile(path).catch(() => "");
}
