import { ConnectError, type ConnectorClient } from "../../connector/client.ts";

/** Ends an intercept; resolves to whether it was there. */
export async function leaveIfThere(
  client: ConnectorClient,
  name: string,
): Promise<boolean> {
  try {
    await client.leave({ name });
    return true;
  } catch (error) {
    const isGone = error instanceof ConnectError &&
      error.failure.kind === "intercept-unknown";
    if (!isGone) throw error;
    return false;
  }
}
