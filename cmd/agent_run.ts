import { runAgent } from "../agent/mod.ts";
import { CommandError } from "./_error.ts";

export default function run(): void {
  try {
    runAgent();
  } catch (error) {
    throw new CommandError((error as Error).message, "", { cause: error });
  }
}
