import { readSettings, runAgent } from "../agent/mod.ts";
import { settingsOfPod } from "./_pod_settings.ts";
import { told } from "./_told.ts";

export default async function run(): Promise<void> {
  const settings = settingsOfPod(Deno.env.toObject(), readSettings);
  await runAgent({ settings, signal: told() });
}
