/**
 * A TUN device, a VPN that serves it, and services on the loopback address that stand for a cluster. To be made in a
 * network namespace of its own.
 */
import {
  type Conn,
  type Datagrams,
  Ip,
  type Refusal,
  refusals,
  RefusedError,
  Subnet,
} from "../../net/mod.ts";
import { TcpConn } from "../../tcp/mod.ts";
import { openNetworkEdge } from "../../vpn/network_edge.ts";
import { startVpn, type TunSubnet, type Vpn } from "../../vpn/mod.ts";

const subnets = ["10.96.0.0/16", "fd00:96::/112"].map(Subnet.parse);

/** Where services are: any port of these addresses. */
export const services = { v4: "10.96.0.1", v6: "fd00:96::1" };

/** Addresses of which every dial comes to a refusal. */
export const refusing = Object.fromEntries(
  refusals.map((refusal, i) => [refusal, {
    v4: `10.96.1.${i}`,
    v6: `fd00:96::f${i}`,
  }]),
) as Record<Refusal, { v4: string; v6: string }>;

/** Dials to it are never answered. */
export const silent = "10.96.2.1";

export interface World {
  vpn: Vpn;
  device: string;
  /** Signals of the dials to {@link silent}. */
  silentDials: AbortSignal[];
  /** Ends of the service side, newest last. */
  services: Conn[];
}

export async function openWorld(): Promise<World> {
  await run("ip", "link", "set", "lo", "up");
  using edge = openNetworkEdge();
  const v4 = tunSubnet("198.18.0.0/29");
  const v6 = tunSubnet("fd74:7000::/64");
  const { fd, name, index } = await edge.openDevice({ v4, v6, mtu: 1500 });
  for (const subnet of subnets) {
    const source = subnet.family === 4 ? v4.laptop : v6.laptop;
    edge.addRoute(subnet, { index, source });
  }
  const silentDials: AbortSignal[] = [];
  const opened: Conn[] = [];
  const vpn = await startVpn({
    device: { fd, name, v4, v6, mtu: 1500 },
    async dial(to, { signal }) {
      refuseOrNot(to.ip);
      if (to.ip.equals(Ip.parse(silent))) {
        silentDials.push(signal);
        await new Promise(() => {});
      }
      const conn = new TcpConn(await connectLoopback(to.port));
      opened.push(conn);
      return conn;
    },
    dialEchoes(to) {
      refuseOrNot(to);
      return Promise.resolve(new ReplyingEchoes());
    },
    dialDatagrams(to) {
      refuseOrNot(to.ip);
      return Promise.resolve(new EchoDatagrams());
    },
  });
  return { vpn, device: name, silentDials, services: opened };
}

/** Runs a program; its standard output. */
export async function run(program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args })
    .output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`${program}: ${text(stderr)}${text(stdout)}`);
  return text(stdout);
}

function tunSubnet(text: string): TunSubnet {
  const subnet = Subnet.parse(text);
  return { subnet, laptop: subnet.at(1), peer: subnet.at(2) };
}

function refuseOrNot(ip: Ip): void {
  for (const refusal of refusals) {
    const { v4, v6 } = refusing[refusal];
    if ([v4, v6].some((one) => Ip.parse(one).equals(ip))) {
      throw new RefusedError(refusal, "as the test wants it");
    }
  }
}

async function connectLoopback(port: number): Promise<Deno.TcpConn> {
  try {
    return await Deno.connect({ hostname: "127.0.0.1", port });
  } catch (error) {
    throw new RefusedError("refused", "nobody is there", { cause: error });
  }
}

/** A service that sends every datagram back. */
class EchoDatagrams implements Datagrams {
  #queue: Uint8Array[] = [];
  #isClosed = false;
  #wake = Promise.withResolvers<void>();

  send(bytes: Uint8Array): boolean {
    if (this.#queue.length > 1000) return false;
    this.#queue.push(bytes.slice());
    this.#wake.resolve();
    return true;
  }

  async receive(into: Uint8Array): Promise<number | null> {
    while (this.#queue.length === 0) {
      if (this.#isClosed) return null;
      this.#wake = Promise.withResolvers();
      await this.#wake.promise;
    }
    const bytes = this.#queue.shift()!.subarray(0, into.length);
    into.set(bytes);
    return bytes.length;
  }

  close(): void {
    this.#isClosed = true;
    this.#wake.resolve();
  }
}

/** A service that replies to every request of ICMP echo. */
class ReplyingEchoes extends EchoDatagrams {
  override send(bytes: Uint8Array): boolean {
    const reply = bytes.slice();
    reply[0] = 0;
    return super.send(reply);
  }
}
