import { findConnector, mean } from "./_connector.ts";
import type { Context } from "./_context.ts";
import { disconnect } from "./_disconnect.ts";
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
    const { client } = mean(connector, { action: "quit", use });
    await disconnect(connector);
    say(`Disconnected ${client.connection}\n`);
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
