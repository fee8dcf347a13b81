import { ConnectError } from "../connector/client.ts";
import { findConnector, mean, notConnected } from "./_connector.ts";
import type { Context } from "./_context.ts";
import { failureError } from "./_failure.ts";
import type { LeaveFlags } from "./leave.ts";

export default async function run(
  this: Context,
  { container, use }: LeaveFlags,
  name: string,
): Promise<void> {
  const meaning = { action: `leave "${name}"`, use };
  using connector = await findConnector() ?? notConnected(meaning);
  // Whose it is, the connector knows best: one that is being made is told nowhere.
  if (use !== undefined) mean(connector, meaning) || notConnected(meaning);
  try {
    const { isPending } = await connector.client.leave({
      name,
      ...container === undefined ? {} : { container },
    });
    if (isPending) this.process.stdout.write(pendingText(name) + "\n");
  } catch (error) {
    throw error instanceof ConnectError ? failureError(error.failure) : error;
  }
}

function pendingText(name: string): string {
  return `"${name}" has ended on this laptop; the cluster has not confirmed it ` +
    "yet, and is asked again until it does or `tp quit`";
}
