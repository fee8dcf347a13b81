/** Lines of the stream `rules`. */
import { interceptModes, type Rule, type Rules } from "../manager/api.ts";
import { type Conn, linesOf, writeAll } from "../net/mod.ts";

/** The longest line that is read: some thousand rules. */
const maxLineLength = 4 * 1024 * 1024;
/** Lines that wait to be written; a manager that reads no more loses what comes above. */
const maxWaiting = 64;

/**
 * Reads one line. Rules of a kind that this release does not know are left out.
 *
 * @throws {SyntaxError} when it is no list of rules.
 */
export function parseRules(line: string): Rules {
  const { version, manager, rules, authorities } = JSON.parse(
    line,
  ) as Partial<Rules>;
  const isList = Number.isInteger(version) && typeof manager === "string" &&
    Array.isArray(rules);
  if (!isList) throw new SyntaxError("Cannot read rules: the line is no list");
  return {
    ...{ version: version!, manager: manager!, rules: rules!.filter(isRule) },
    ...typeof authorities === "string" ? { authorities } : {},
  };
}

function isRule(value: Partial<Rule>): boolean {
  const texts = [value.id, value.name, value.owner, value.manager];
  return texts.every((text) => typeof text === "string") &&
    interceptModes.includes(value.mode!) &&
    Array.isArray(value.ports) &&
    (value.subnets === undefined || Array.isArray(value.subnets));
}

/** The lines of a stream `rules`. See {@link linesOf} for what it throws. */
export function rulesLines(stream: Conn): AsyncGenerator<string> {
  return linesOf(stream, { maxLength: maxLineLength });
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
