import type { LogLevel } from "../log.ts";
import { findConnector, mean } from "./_connector.ts";
import type { Context } from "./_context.ts";
import { CommandError } from "./_error.ts";
import { failureError } from "./_failure.ts";
import type { LogLevelFlags } from "./loglevel.ts";

export default async function run(
  this: Context,
  { duration: seconds, localOnly, remoteOnly, use }: LogLevelFlags,
  level: LogLevel,
): Promise<void> {
  if (localOnly && remoteOnly) {
    throw new CommandError(
      "Cannot set the log level: of neither laptop nor cluster",
      "Leave out `--local-only` or `--remote-only`",
    );
  }
  using connector = await findConnector();
  if (connector === undefined) {
    throw failureError({
      kind: "not-connected",
      cause: "Cannot set the log level: this laptop is not connected",
    });
  }
  const isOne = use !== undefined || !localOnly;
  if (isOne) mean(connector, { action: "set the log level", use });
  const { done, problems } = await connector.client.setLogLevels({
    ...{ level, seconds, laptop: !remoteOnly, cluster: !localOnly },
  });
  for (const line of done) this.process.stdout.write(`${line}\n`);
  for (const line of problems) this.process.stderr.write(`Not set: ${line}\n`);
  if (problems.length > 0) this.process.exitCode = 1;
}
