/** What is wrong in one place. */
export interface ConfigFault {
  /** For people: `config.yml:4`. */
  readonly place: string;
  readonly text: string;
}

/** Settings that cannot be used, with all that is wrong in one file. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly faults: readonly ConfigFault[];

  constructor(
    message: string,
    faults: readonly ConfigFault[],
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.faults = faults;
  }
}
