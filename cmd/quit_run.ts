import { findConnector, untilEnded } from "./_connector.ts";
import type { Context } from "./_context.ts";
import { CommandError } from "./_error.ts";
import { repairIfNeeded } from "./_repair.ts";

export default async function run(this: Context): Promise<void> {
  const say = (text: string) => this.process.stdout.write(text);
  using connector = await findConnector((line) => say(line + "\n"));
  if (connector === undefined) {
    await repairIfNeeded((line) => say(line + "\n"));
    say("Not connected\n");
    return;
  }
  say("tp Daemon quitting...");
  await connector.client.quit();
  if (!await untilEnded(connector)) {
    say("\n");
    throw new CommandError(
      `Cannot quit: the connector (process ${connector.pid}) does not end`,
      `\`kill -KILL ${connector.pid}\` ends it, and the network is as before`,
    );
  }
  say("done\n");
}
