import { dirname } from "node:path";
import { commandLogPath } from "../connector/client.ts";
import { setLogSink } from "../log.ts";

const largestLogBytes = 8 * 1024 * 1024;

/** Has this process log to a file: its terminal is the user's. Where there is no room for one, nothing is logged. */
export async function logToFile(): Promise<void> {
  const path = commandLogPath();
  setLogSink(() => {});
  try {
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await Deno.open(path, {
      ...{ create: true, append: true, mode: 0o600 },
    });
    if ((await file.stat()).size > largestLogBytes) await file.truncate();
    setLogSink((line) => writeLine(file, line));
  } catch {
    // A log is not worth a failure.
  }
}

/** A disk that is full must not end what is run. */
function writeLine(file: Deno.FsFile, line: string): void {
  try {
    file.writeSync(new TextEncoder().encode(`${Deno.pid} ${line}\n`));
  } catch {
    // The line is lost.
  }
}
