/** Lines of the stream `rules`. */
import { interceptModes, type Rule, type Rules } from "../manager/api.ts";
import { type Conn, writeAll } from "../net/mod.ts";

/** The longest line that is read: some thousand rules. */
const maxLineBytes = 4 * 1024 * 1024;
/** Lines that wait to be written; a manager that reads no more loses what comes above. */
const maxWaiting = 64;

/**
 * Reads one line. Rules of a kind that this release does not know are left out.
 *
 * @throws {SyntaxError} when it is no list of rules.
 */
export function parseRules(line: string): Rules {
  const { version, manager, rules } = JSON.parse(line) as Partial<Rules>;
  const isList = Number.isInteger(version) && typeof manager === "string" &&
    Array.isArray(rules);
  if (!isList) throw new SyntaxError("Cannot read rules: the line is no list");
  return { version: version!, manager: manager!, rules: rules!.filter(isRule) };
}

function isRule(value: Partial<Rule>): boolean {
  const texts = [value.id, value.name, value.owner, value.manager];
  return texts.every((text) => typeof text === "string") &&
    interceptModes.includes(value.mode!) &&
    Array.isArray(value.ports);
}

/**
 * The lines of a stream, without their ends, until the peer ends it.
 *
 * @throws {ConnResetError} when the stream broke.
 * @throws {RangeError} when a line is too long.
 */
export async function* linesOf(stream: Conn): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(16 * 1024);
  let rest = "";
  for (;;) {
    const read = await stream.read(buffer);
    if (read === null) return;
    rest += decoder.decode(buffer.subarray(0, read), { stream: true });
    const complete = rest.split("\n");
    rest = complete.pop()!;
    if (rest.length > maxLineBytes) {
      throw new RangeError("Cannot read rules: the line is too long");
    }
    yield* complete;
  }
}

/** Writes lines to a stream, one after the other. One that breaks is left to who reads from it. */
export class LineWriter {
  readonly #stream: Conn;
  readonly #waiting: string[] = [];
  #isWriting = false;

  constructor(stream: Conn) {
    this.#stream = stream;
  }

  write(line: string): void {
    if (this.#waiting.length === maxWaiting) this.#waiting.shift();
    this.#waiting.push(line);
    if (!this.#isWriting) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isWriting = true;
    try {
      for (let line; (line = this.#waiting.shift()) !== undefined;) {
        await writeAll(this.#stream, new TextEncoder().encode(`${line}\n`));
      }
    } catch {
      this.#waiting.length = 0;
    }
    this.#isWriting = false;
  }
}
