/**
 * One structured logger. Lines are JSON on standard error, or wherever {@link setLogSink} sends them. Secrets are
 * never logged: callers pass names and numbers, not credentials or payloads.
 */

/** How grave a line is, in rising order. */
export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = typeof logLevels[number];

/** Fields of a line. Errors are written as their message chain. */
export type LogFields = Record<string, unknown>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

let threshold: LogLevel = "info";
// deno-lint-ignore no-console
let sink: (line: string) => void = (line) => console.error(line);

/** Lines below `level` are dropped. */
export function setLogLevel(level: LogLevel): void {
  threshold = level;
}

/** Sends each line (without line end) to `write` instead of standard error. */
export function setLogSink(write: (line: string) => void): void {
  sink = write;
}

/** A logger whose lines name their room. */
export function logger(room: string): Logger {
  const at = (level: LogLevel) => (message: string, fields: LogFields = {}) => {
    if (logLevels.indexOf(level) < logLevels.indexOf(threshold)) return;
    sink(
      JSON.stringify({
        time: new Date().toISOString(),
        level,
        room,
        message,
        ...plain(fields),
      }),
    );
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
  };
}

function plain(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      value instanceof Error
        ? messageChain(value)
        : typeof value === "bigint"
        ? String(value)
        : value,
    ]),
  );
}

function messageChain(error: Error): string {
  const text = `${error.name}: ${error.message}`;
  return error.cause instanceof Error
    ? `${text}: ${messageChain(error.cause)}`
    : text;
}
