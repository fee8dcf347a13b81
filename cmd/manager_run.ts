import { runManager } from "../manager/mod.ts";
import { told } from "./_told.ts";

export default async function run(): Promise<void> {
  await runManager({ env: Deno.env.toObject(), signal: told() });
}
