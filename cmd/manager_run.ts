import { readSettings, runManager } from "../manager/mod.ts";
import { settingsOfPod } from "./_pod_settings.ts";
import { told } from "./_told.ts";

export default async function run(): Promise<void> {
  const env = Deno.env.toObject();
  const settings = settingsOfPod(env, readSettings);
  await runManager({ settings, env, signal: told() });
}
