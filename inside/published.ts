/** Ports of the namespace that are published on the laptop's loopback address. */
import { decodeTarget } from "../manager/api.ts";
import { type Conn, Ip, pipe, systemClock } from "../net/mod.ts";
import { dialTcp, refusalOfError } from "../tcp/mod.ts";
import type { Incoming } from "../tunnel/mod.ts";

/** A server that was told to listen on `localhost` listens on one of them. */
const [ipv4, ipv6] = [Ip.parse("127.0.0.1"), Ip.parse("::1")];

/** Joins a stream of the outer process with the app that listens on the port it names. Never rejects. */
export async function answerPublished(incoming: Incoming): Promise<void> {
  const target = decodeTarget(incoming.target);
  try {
    if (target?.kind !== "tcp" || incoming.datagrams) {
      return incoming.refuse("unknown-target", "Nothing else is dialled here");
    }
    await pipe(await dialApp(target.port, incoming.signal), incoming.accept());
  } catch (error) {
    const { refusal, message } = refusalOfError(error);
    incoming.refuse(refusal, message);
  }
}

async function dialApp(port: number, signal: AbortSignal): Promise<Conn> {
  const dial = (ip: Ip) =>
    dialTcp({ ip, port }, { signal, clock: systemClock });
  return await dial(ipv4).catch(() => dial(ipv6));
}
