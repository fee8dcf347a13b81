import { requestOf } from "../_connect.ts";
import type { RunningConnector } from "../_connector.ts";
import { failureError } from "../_failure.ts";
import type { ConnectFlags } from "../_connect_flags.ts";

/**
 * Asks a connection that stands whether it is the one that is declared.
 *
 * @throws {CommandError} when it is another.
 */
export async function mustBeDeclared(
  { client }: RunningConnector,
  declared: Partial<ConnectFlags>,
): Promise<void> {
  const { signal } = new AbortController();
  const request = await requestOf(declared);
  for await (const event of client.connect(request, { signal })) {
    if (event.event === "failed") throw failureError(event.failure);
  }
}
