import { type EnvSyntax, formatEnv } from "./_env_syntax.ts";
import { notWritten } from "./_not_written.ts";

export interface EnvFileFlags {
  readonly envFile?: string;
  readonly envSyntax?: EnvSyntax;
  readonly envJson?: string;
}

/**
 * Writes the files that are asked for; they are their owner's alone, as an environment holds secrets.
 *
 * @param warn Told what a file cannot hold.
 * @throws {CommandError}
 */
export async function writeEnvFiles(
  environment: Record<string, string>,
  { envFile, envSyntax = "docker", envJson }: EnvFileFlags,
  warn: (line: string) => void,
): Promise<void> {
  if (envFile !== undefined) {
    const { text, omitted } = formatEnv(environment, envSyntax);
    await writePrivate(envFile, text);
    if (omitted.length > 0) {
      warn(
        `Warning: ${envFile} is without ${omitted.join(", ")}: ` +
          `--env-syntax ${envSyntax} cannot hold that`,
      );
    }
  }
  if (envJson !== undefined) {
    await writePrivate(envJson, formatEnv(environment, "json").text);
  }
}

async function writePrivate(path: string, text: string): Promise<void> {
  try {
    // One that was there may be open to others: it is closed to them before it is filled.
    await Deno.writeTextFile(path, "", { mode: 0o600 });
    await Deno.chmod(path, 0o600);
    await Deno.writeTextFile(path, text);
  } catch (cause) {
    const remedy = "Give another file, or make its directory first";
    throw await notWritten(path, remedy, cause);
  }
}
