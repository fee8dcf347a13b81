import { runAgent } from "../agent/mod.ts";
import { told } from "./_told.ts";

export default async function run(): Promise<void> {
  await runAgent({ env: Deno.env.toObject(), signal: told() });
}
