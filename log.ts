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

/** What counts where nobody says otherwise. */
const usualLevel: LogLevel = "info";
let threshold: LogLevel = usualLevel;
let goBack: ReturnType<typeof setTimeout> | undefined;
// deno-lint-ignore no-console
let sink: (line: string) => void = (line) => console.error(line);

/** The last line of this process that told of trouble. */
export interface Trouble {
  /** RFC 3339. */
  time: string;
  /** With the line's other fields and its error, if it had some. */
  text: string;
}

let trouble: Trouble | undefined;

/** The last warning or error that was logged; `undefined` while there was none. */
export function lastTrouble(): Trouble | undefined {
  return trouble;
}

/** Lines below `level` are dropped. */
export function setLogLevel(level: LogLevel): void {
  clearTimeout(goBack);
  threshold = level;
}

/**
 * As {@link setLogLevel}, and after `ms` the usual level again; 0: for good. A later call counts instead. The process need
 * not run for it.
 */
export function setLogLevelFor(level: LogLevel, ms: number): void {
  setLogLevel(level);
  if (ms === 0) return;
  goBack = setTimeout(() => threshold = usualLevel, ms);
  Deno.unrefTimer(goBack);
}

/** Sends each line (without line end) to `write` instead of standard error. */
export function setLogSink(write: (line: string) => void): void {
  sink = write;
}

/** A logger whose lines name their room. */
export function logger(room: string): Logger {
  const at = (level: LogLevel) => (message: string, fields: LogFields = {}) => {
    if (logLevels.indexOf(level) < logLevels.indexOf(threshold)) return;
    const time = new Date().toISOString();
    const told = plain(fields);
    if (level === "warn" || level === "error") {
      trouble = { time, text: troubleText(message, told) };
    }
    sink(JSON.stringify({ time, level, room, message, ...told }));
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
  };
}

function troubleText(
  message: string,
  { error, ...others }: LogFields,
): string {
  const facts = Object.entries(others)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) =>
      `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`
    );
  return [
    message,
    ...facts.length > 0 ? [` (${facts.join(", ")})`] : [],
    ...error === undefined ? [] : [`: ${error}`],
  ].join("");
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
