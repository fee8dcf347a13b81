import { ConnectError, type ConnectorClient } from "../connector/client.ts";
import { connectedConnector } from "./_connector.ts";
import type { Context } from "./_context.ts";
import { failureError } from "./_failure.ts";
import { listText, wantedOf } from "./_intercept_text.ts";
import { Interrupt } from "./_interrupt.ts";
import { formatValue } from "./_output.ts";
import type { ListCommandFlags } from "./list.ts";

export default async function run(
  this: Context,
  flags: ListCommandFlags,
): Promise<void> {
  const say = (text: string) => this.process.stdout.write(text);
  using connector = await connectedConnector({
    ...{ action: "list workloads", use: flags.use },
  });
  try {
    if (flags.output === "json-stream") {
      return await follow(connector.client, flags, say);
    }
    const all = await connector.client.list(flags.namespace);
    const wanted = wantedOf(all, flags);
    say(
      flags.output === "text"
        ? listText(wanted) + "\n"
        : await formatValue(wanted, flags.output),
    );
  } catch (error) {
    throw error instanceof ConnectError ? failureError(error.failure) : error;
  }
}

/** Until it is interrupted. */
async function follow(
  client: ConnectorClient,
  flags: ListCommandFlags,
  say: (text: string) => void,
): Promise<void> {
  using interrupt = new Interrupt();
  const { signal } = interrupt;
  try {
    for await (const all of client.follow(flags.namespace, { signal })) {
      say(JSON.stringify(wantedOf(all, flags)) + "\n");
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
