import { selfCommand } from "../build.ts";
import { removeStaleSocket } from "../connector/client.ts";
import { leftover } from "../daemon/client.ts";

/** Undoes what killed processes of ours left on this host, if they left something. Cheap when they did not. */
export async function repairIfNeeded(
  say: (line: string) => void,
): Promise<void> {
  await removeStaleSocket();
  if (!await leftover()) return;
  say("Undoing what a killed daemon left on this host");
  const repair = selfCommand(["daemon-repair"]);
  const [program, ...args] = Deno.uid() === 0
    ? repair
    : ["sudo", "--", ...repair];
  const { success } = await new Deno.Command(program!, {
    args,
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (!success) say("Could not undo it: run `sudo tp daemon-repair`");
}
