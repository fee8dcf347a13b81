import { buildCommand } from "@stricli/core";
import { parseDurationMs } from "../config/mod.ts";
import type { LogLevel } from "../log.ts";
import type { Context } from "./_context.ts";
import { type UseFlag, useFlag } from "./_use_flag.ts";

export interface LogLevelFlags extends UseFlag {
  readonly duration: number;
  readonly localOnly: boolean;
  readonly remoteOnly: boolean;
}

/** The levels that there are, and what users of Telepresence call them. */
const levels: Readonly<Record<string, LogLevel>> = {
  ...{ error: "error", warn: "warn", warning: "warn", info: "info" },
  ...{ debug: "debug", trace: "debug" },
};

/** A timer counts no further. */
const longestSeconds = 14 * 86_400;

/** `tp loglevel LEVEL` */
export const loglevel = buildCommand<LogLevelFlags, [LogLevel], Context>({
  loader: () => import("./loglevel_run.ts"),
  parameters: {
    aliases: { d: "duration", l: "localOnly", r: "remoteOnly" },
    positional: {
      kind: "tuple",
      parameters: [{
        ...{ parse: parseLevel, placeholder: "LEVEL" },
        brief: "error, warn, info or debug",
      }],
    },
    flags: {
      ...useFlag,
      duration: {
        ...{ kind: "parsed", parse: parseSeconds, default: "30m" },
        ...{
          placeholder: "time",
          brief: "How long; 0: until its process ends",
        },
      },
      localOnly: {
        ...{ kind: "boolean", default: false, withNegated: false },
        brief: "Only the laptop's",
      },
      remoteOnly: {
        ...{ kind: "boolean", default: false, withNegated: false },
        brief: "Only the cluster's",
      },
    },
  },
  docs: {
    brief: "Have connector, manager and agents log more or less for a while",
    customUsage: ["LEVEL [FLAGS]"],
    fullDescription:
      "The level is that of the connector, of the manager's copy that the connection uses, and of the agents of workloads " +
      "that it has intercepts on. Others see the cluster's, too: these get no quieter than info, and are back as usual after " +
      "a day at most. The daemon takes no commands; it logs at info.",
  },
});

export function parseLevel(text: string): LogLevel {
  const level = Object.hasOwn(levels, text) ? levels[text] : undefined;
  if (level !== undefined) return level;
  throw new SyntaxError(
    `Cannot log at "${text}": the levels are error, warn, info and debug`,
  );
}

/** Reads `30m`, `1h30m`, `0`. */
export function parseSeconds(text: string): number {
  const [, hours = "0", rest = ""] =
    /^(?:(\d+)h)?((?:\d+m)?(?:\d+s)?)$/.exec(text) ?? [];
  const seconds = Number(hours) * 3600 + parseDurationMs(rest) / 1000;
  if (text === "0" || seconds > 0 && seconds <= longestSeconds) return seconds;
  throw new SyntaxError(
    `Cannot log for "${text}": give a time such as 30m, of two weeks at most`,
  );
}
