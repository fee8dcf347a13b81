/**
 * `tp connect`
 *
 * 1. It connects, or finds that this laptop is connected.
 * 2. With a command after `--`, that runs, and the connection ends after it.
 */
import { connectedLine, connectInterruptibly, requestOf } from "./_connect.ts";
import type { Context } from "./_context.ts";
import { disconnect } from "./_disconnect.ts";
import { interruptedExitCode } from "./_interrupt.ts";
import { unservedText } from "./_short_names.ts";
import { runUserCommand } from "./_user_command.ts";
import { absentTexts } from "./_followed_names.ts";
import { virtualTexts } from "./_virtual.ts";
import type { ConnectFlags, NameFlag } from "./_connect_flags.ts";
import type { SubnetFlags } from "./_subnet_flags.ts";

export default async function run(
  this: Context,
  flags: ConnectFlags & SubnetFlags & NameFlag,
): Promise<void> {
  const command = this.userCommand;
  const { stdout, stderr } = this.process;
  // What the user's command writes is not mixed with our words.
  const words = command === undefined ? stdout : stderr;
  const say = (line: string) => words.write(line + "\n");
  const request = await requestOf(flags);
  const outcome = await connectInterruptibly(request, say);
  if (outcome === "interrupted") {
    say("Interrupted");
    this.process.exitCode = interruptedExitCode;
    return;
  }
  const { connector, already, status } = outcome;
  using _ = connector;
  const isNamed = request.name !== undefined;
  say(connectedLine(status, { already, isNamed }));
  const unserved = unservedText(status);
  if (unserved !== undefined) say(`Short names are served, but ${unserved}`);
  for (const text of virtualTexts(status)) say(`Virtual addresses: ${text}`);
  for (const text of absentTexts(status.root_daemon?.followed_names)) say(text);
  if (command === undefined) return;
  try {
    this.process.exitCode = await runUserCommand(command);
  } finally {
    if (!already) await disconnect(connector);
  }
}
