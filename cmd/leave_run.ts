import { ConnectError } from "../connector/client.ts";
import { connectedConnector } from "./_connector.ts";
import type { Context } from "./_context.ts";
import { failureError } from "./_failure.ts";
import type { LeaveFlags } from "./leave.ts";

export default async function run(
  this: Context,
  { container }: LeaveFlags,
  name: string,
): Promise<void> {
  using connector = await connectedConnector(`leave "${name}"`);
  try {
    await connector.client.leave({
      name,
      ...container === undefined ? {} : { container },
    });
  } catch (error) {
    throw error instanceof ConnectError ? failureError(error.failure) : error;
  }
}
