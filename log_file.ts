/** A file of log lines that does not grow without bound: when it is full it becomes `PATH.1`, that `PATH.2`, and so on. */

export interface LogFileOptions {
  /** From here on a file is full. */
  maxBytes: number;
  /** How many full ones are kept. */
  former: number;
}

/** Paths of a log and its full ones, the oldest first. */
export function logFilePaths(
  path: string,
  { former }: Pick<LogFileOptions, "former">,
): string[] {
  const numbers = Array.from({ length: former }, (_, i) => former - i);
  return [...numbers.map((number) => `${path}.${number}`), path];
}

/**
 * Only its owner can read it. The file itself stays the same, so that who has it open beside us, as standard error or as
 * another process, goes on in it.
 */
export class LogFile implements Disposable {
  readonly #path: string;
  readonly #options: LogFileOptions;
  readonly #file: Deno.FsFile;
  readonly #encoder = new TextEncoder();
  /** As far as this process knows. */
  #size: number;

  /** @throws {Error} of the system, when it cannot be opened. */
  constructor(path: string, options: LogFileOptions) {
    this.#path = path;
    this.#options = options;
    this.#file = Deno.openSync(path, {
      ...{ create: true, append: true, read: true, mode: 0o600 },
    });
    this.#size = this.#file.statSync().size;
  }

  /** Appends a line. On a disk that is full it is lost: a log must not end what is logged. */
  write(line: string): void {
    const bytes = this.#encoder.encode(`${line}\n`);
    try {
      if (this.#size + bytes.length > this.#options.maxBytes) this.#turn();
      this.#file.writeSync(bytes);
      this.#size += bytes.length;
    } catch {
      // The line is lost.
    }
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  /** Others write, too, and may have turned it. When the full one finds no room, it is lost rather than kept growing. */
  #turn(): void {
    const { former, maxBytes } = this.#options;
    this.#size = this.#file.statSync().size;
    if (this.#size < maxBytes / 2) return;
    try {
      const paths = logFilePaths(this.#path, { former });
      for (let i = 1; i < paths.length - 1; i++) {
        rename(paths[i]!, paths[i - 1]!);
      }
      if (former > 0) copyPrivately(this.#path, paths.at(-2)!);
    } finally {
      this.#file.truncateSync(0);
      this.#size = 0;
    }
  }
}

function rename(from: string, to: string): void {
  try {
    Deno.renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function copyPrivately(from: string, to: string): void {
  Deno.copyFileSync(from, to);
  Deno.chmodSync(to, 0o600);
}
