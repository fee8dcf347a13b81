import { runBridge } from "../manager/mod.ts";
import { CommandError } from "./_error.ts";

export default async function run(): Promise<void> {
  try {
    await runBridge({ input: Deno.stdin, output: Deno.stdout });
  } catch (error) {
    throw new CommandError((error as Error).message, "", { cause: error });
  }
}
