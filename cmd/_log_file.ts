import { dirname } from "node:path";
import {
  commandLogPath,
  connectorLogPath,
  logLimits,
} from "../connector/client.ts";
import { setLogSink } from "../log.ts";
import { LogFile } from "../log_file.ts";

/** Has this process log to a file: its terminal is the user's. Where there is no room for one, nothing is logged. */
export async function logToFile(): Promise<void> {
  const path = commandLogPath();
  setLogSink(() => {});
  try {
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = new LogFile(path, logLimits);
    setLogSink((line) => file.write(`${Deno.pid} ${line}`));
  } catch {
    // A log is not worth a failure.
  }
}

/** Has the connector log to its standard error, and keeps that small where it is the connector's log file. */
export async function logToStandardError(): Promise<void> {
  const path = connectorLogPath();
  if (await isStandardError(path)) {
    const file = new LogFile(path, logLimits);
    return setLogSink((line) => file.write(line));
  }
  setLogSink((line) => {
    try {
      Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
    } catch {
      // A disk that is full must not end the connection.
    }
  });
}

const standardError = Deno.build.os === "darwin"
  ? "/dev/fd/2"
  : "/proc/self/fd/2";

async function isStandardError(path: string): Promise<boolean> {
  try {
    const [ours, log] = await Promise.all([
      Deno.stat(standardError),
      Deno.stat(path),
    ]);
    return log.isFile && ours.ino === log.ino && ours.dev === log.dev;
  } catch {
    return false;
  }
}
