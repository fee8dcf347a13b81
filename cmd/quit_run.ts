import type { Context } from "./_context.ts";
import { findConnector, untilConnectorEnds } from "./_connector.ts";
import { repairIfNeeded } from "./_repair.ts";

export default async function run(this: Context): Promise<void> {
  const say = (text: string) => this.process.stdout.write(text);
  using connector = await findConnector();
  if (connector === undefined) {
    await repairIfNeeded((line) => say(line + "\n"));
    say("Not connected\n");
    return;
  }
  say("tp Daemon quitting...");
  await connector.quit();
  await untilConnectorEnds();
  say("done\n");
}
