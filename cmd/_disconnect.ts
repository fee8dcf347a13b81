import {
  findConnector,
  type RunningConnector,
  untilEnded,
} from "./_connector.ts";
import { CommandError } from "./_error.ts";

/**
 * Resolves when the connection that is meant is no more, or else all; after the last, when the host is as it was.
 *
 * @throws {CommandError} when the connector does not end.
 */
export async function disconnect(connector: RunningConnector): Promise<void> {
  await connector.client.quit();
  {
    using left = await findConnector();
    if (left?.pid === connector.pid && left.status !== "Quitting") return;
  }
  if (await untilEnded(connector)) return;
  throw new CommandError(
    `Cannot quit: the connector (process ${connector.pid}) does not end`,
    `\`kill -KILL ${connector.pid}\` ends it, and the network is as before`,
  );
}
