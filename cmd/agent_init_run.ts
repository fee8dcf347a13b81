import { prepareAgent, readConfig } from "../agent/mod.ts";
import { settingsOfPod } from "./_pod_settings.ts";

export default async function run(): Promise<void> {
  await prepareAgent(settingsOfPod(Deno.env.toObject(), readConfig));
}
