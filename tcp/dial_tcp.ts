import {
  type Clock,
  formatEndpoint,
  type Ip,
  RefusedError,
} from "../net/mod.ts";
import { refusalOfError } from "./refusal_of_error.ts";
import { TcpConn } from "./tcp_conn.ts";

/** How long an address may take to answer. */
const dialMs = 10_000;

/**
 * Connects to `to`.
 *
 * @throws {RefusedError} by what the system said, `timeout` after 10 s, `gone` when the signal fires.
 */
export async function dialTcp(
  to: { readonly ip: Ip; readonly port: number },
  { signal, clock }: { signal: AbortSignal; clock: Clock },
): Promise<TcpConn> {
  // One controller for both reasons: AbortSignal.any would be the most expensive part of a short connection.
  const giveUp = new AbortController();
  let isLate = false;
  const callOff = clock.after(dialMs, () => {
    isLate = true;
    giveUp.abort();
  });
  const follow = () => giveUp.abort();
  signal.addEventListener("abort", follow, { once: true });
  if (signal.aborted) follow();
  try {
    const conn = await Deno.connect({
      hostname: to.ip.toString(),
      port: to.port,
      signal: giveUp.signal,
      autoSelectFamily: false,
    });
    return new TcpConn(conn);
  } catch (error) {
    const where = formatEndpoint(to.ip, to.port);
    if (isLate) {
      const detail = `Cannot connect to ${where}: no answer in ${dialMs} ms`;
      throw new RefusedError("timeout", detail, { cause: error });
    }
    if (signal.aborted) {
      const detail = `Cannot connect to ${where}: called off`;
      throw new RefusedError("gone", detail, { cause: error });
    }
    throw refusalOfError(error);
  } finally {
    callOff();
    signal.removeEventListener("abort", follow);
  }
}
