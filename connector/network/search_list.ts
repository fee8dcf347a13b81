/** The namespaces in which a single label is a service: the connection's, then those of its intercepts. */
export class SearchList {
  readonly #first: string;
  /** How many want each namespace. */
  readonly #others = new Map<string, number>();
  #current: readonly string[];

  constructor(namespace: string) {
    this.#first = namespace;
    this.#current = [namespace];
  }

  /** The same list until it changes. */
  get current(): readonly string[] {
    return this.#current;
  }

  /** Dispose of it once to take the namespace off again, when nobody else wants it. */
  add(namespace: string): Disposable {
    this.#others.set(namespace, (this.#others.get(namespace) ?? 0) + 1);
    this.#refresh();
    return {
      [Symbol.dispose]: () => {
        const left = this.#others.get(namespace)! - 1;
        if (left > 0) this.#others.set(namespace, left);
        else this.#others.delete(namespace);
        this.#refresh();
      },
    };
  }

  #refresh(): void {
    this.#current = [...new Set([this.#first, ...this.#others.keys()])];
  }
}
