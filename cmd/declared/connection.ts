import { requestOf } from "../_connect.ts";
import type { RunningConnector } from "../_connector.ts";
import { failureError } from "../_failure.ts";
import type { ConnectFlags } from "../_connect_flags.ts";

/**
 * Asks whether a connection that stands is the one that is declared, which is meant from then on.
 *
 * @throws {CommandError} when it is another.
 */
export async function mustBeDeclared(
  { client }: RunningConnector,
  declared: Partial<ConnectFlags>,
): Promise<void> {
  const { signal } = new AbortController();
  // Whatever it is called: none is to be made.
  const { name: _, ...request } = await requestOf(declared);
  for await (const event of client.connect(request, { signal })) {
    if (event.event === "failed") throw failureError(event.failure);
    const name = event.event === "connected" && event.status.user_daemon.name;
    if (name) client.connection = name;
  }
}
