import { findConnector, notConnected } from "./_connector.ts";
import type { Context } from "./_context.ts";
import { disconnect } from "./_disconnect.ts";
import { meantConnection } from "./_meant_connection.ts";
import { repairIfNeeded } from "./_repair.ts";
import type { UseFlag } from "./_use_flag.ts";

export default async function run(
  this: Context,
  { use }: UseFlag,
): Promise<void> {
  const say = (text: string) => this.process.stdout.write(text);
  using connector = await findConnector((line) => say(line + "\n"));
  if (connector === undefined) {
    await repairIfNeeded((line) => say(line + "\n"));
    say("Not connected\n");
    return;
  }
  if (use !== undefined) {
    const { client, connections, connecting } = connector;
    const all = [...connections, ...connecting.map((name) => ({ name }))];
    const meaning = { action: "quit", use };
    if (all.length === 0) notConnected(meaning);
    const name = client.connection = meantConnection(all, meaning)!;
    await disconnect(connector);
    say(`Disconnected ${name}\n`);
    return;
  }
  say("tp Daemon quitting...");
  try {
    await disconnect(connector);
  } catch (error) {
    say("\n");
    throw error;
  }
  say("done\n");
}
