/** Whose certificates the agent takes for the manager's. */

export interface TrustOptions {
  /** Reads the pod's file: what the manager said when the pod was made. */
  readonly read: () => Promise<string>;
}

/**
 * The authorities that the pod was told when it was made, and those that a manager told since which bore a certificate of
 * one of them: so a pod may be older than all that it began with. A process that starts anew begins with the file again.
 */
export class Trust {
  readonly #options: TrustOptions;
  #told = "";

  constructor(options: TrustOptions) {
    this.#options = options;
  }

  /** PEM. @throws what reading the file does. */
  async authorities(): Promise<string> {
    return `${await this.#options.read()}\n${this.#told}`;
  }

  /** Takes the present ones of a manager, which has proven itself. What is no PEM is passed over: nobody is lost by it. */
  tell(authorities: string): void {
    if (certificates.test(authorities)) this.#told = authorities;
  }
}

const certificates =
  /^(-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+$/;
