import { buildKind, version } from "../build.ts";
import { protocolVersions } from "../connector/api.ts";
import type { Context } from "./_context.ts";
import { formatValue } from "./_output.ts";
import type { VersionFlags } from "./version.ts";

export default async function run(
  this: Context,
  flags: VersionFlags,
): Promise<void> {
  const { min, max } = protocolVersions;
  const facts = {
    version,
    build: buildKind(),
    protocol: { min, max },
    deno: Deno.version.deno,
  };
  if (flags.output !== "text") {
    this.process.stdout.write(await formatValue(facts, flags.output));
    return;
  }
  this.process.stdout.write(
    `tp ${version} (build ${facts.build}, protocol ${min}-${max}, ` +
      `deno ${facts.deno})\n`,
  );
}
