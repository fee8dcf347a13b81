/** Names of environment variables that no laptop is given, as an admin lists them: `*` stands for any characters. */
export class WithheldNames {
  readonly names: readonly string[];
  readonly #patterns: readonly RegExp[];

  /** @throws {SyntaxError} for what can name no variable. */
  constructor(names: readonly string[]) {
    this.names = names;
    this.#patterns = names.map(patternOf);
  }

  /** Reads names with commas between them. */
  static parse(text: string): WithheldNames {
    return new WithheldNames(
      text.split(",").map((name) => name.trim()).filter(Boolean),
    );
  }

  /** The variables that a laptop may have. */
  without(environment: Readonly<Record<string, string>>) {
    const given = Object.entries(environment).filter(([name]) =>
      !this.#patterns.some((pattern) => pattern.test(name))
    );
    return Object.fromEntries(given);
  }
}

function patternOf(name: string): RegExp {
  if (!/^[-._A-Za-z0-9*]+$/.test(name)) {
    throw new SyntaxError(
      `Cannot withhold "${name}": it names no environment variable`,
    );
  }
  const escaped = name.replaceAll(".", "\\.").replaceAll("*", ".*");
  return new RegExp(`^${escaped}$`, "s");
}
