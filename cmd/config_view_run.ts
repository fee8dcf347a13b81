import { configPath, viewText, viewValue } from "../config/mod.ts";
import type { ConfigViewFlags } from "./config.ts";
import type { Context } from "./_context.ts";
import { formatValue } from "./_output.ts";
import { findSettings } from "./_settings.ts";

export default async function run(
  this: Context,
  flags: ConfigViewFlags,
): Promise<void> {
  const { stdout, stderr } = this.process;
  const { settings, unused, noKubeconfig } = await findSettings(flags);
  if (flags.output === "text") {
    stdout.write(`# ${configPath(Deno.env.toObject())}\n`);
    stdout.write(viewText(settings));
  } else stdout.write(await formatValue(viewValue(settings), flags.output));
  for (const one of unused) stderr.write(`tp has nothing like ${one}\n`);
  if (noKubeconfig !== undefined) stderr.write(`${noKubeconfig}\n`);
}
