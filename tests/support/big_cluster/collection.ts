/** A collection of the fake API server: its objects are made when they are asked for, so that many cost nothing. */

/** How many changes are kept; a watch that starts before them is told 410. */
const keptChanges = 10_000;

interface Change {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly version: number;
  readonly index: number;
}

export class Collection {
  readonly #make: (index: number, version: number) => unknown;
  /** Versions of those that changed. */
  readonly #versions = new Map<number, number>();
  readonly #changes: Change[] = [];
  #count: number;
  #version = 1;
  #changed = Promise.withResolvers<void>();

  /** @param make Makes the object of an index. */
  constructor(
    count: number,
    make: (index: number, version: number) => unknown,
  ) {
    this.#count = count;
    this.#make = make;
  }

  /** One more object. */
  add(): void {
    this.#change("ADDED", this.#count++);
  }

  /** The last object goes. */
  remove(): void {
    this.#change("DELETED", --this.#count);
  }

  /** The next `count` objects in turn get another version, as when a status is written. */
  touch(count: number): void {
    for (let n = 0; n < count; n++) {
      this.#change("MODIFIED", this.#version % this.#count);
    }
  }

  /** A page as the API server writes it; `next` is what the page before said in `continue`. */
  page(limit: number, next: string): string {
    const from = Number(next || 0);
    const to = Math.min(this.#count, from + limit || this.#count);
    const items: string[] = [];
    for (let index = from; index < to; index++) items.push(this.#text(index));
    const metadata = {
      resourceVersion: String(this.#version),
      ...to < this.#count
        ? { continue: String(to), remainingItemCount: this.#count - to }
        : {},
    };
    return `{"kind":"List","apiVersion":"v1","metadata":${
      JSON.stringify(metadata)
    },"items":[${items.join(",")}]}`;
  }

  /** What happens after `version`, a line each, and bookmarks; ends after `seconds`. */
  async *watch(version: number, seconds: number): AsyncGenerator<string> {
    const oldest = this.#changes[0]?.version ?? this.#version + 1;
    if (version < oldest - 1) {
      yield line(
        "ERROR",
        JSON.stringify({
          ...{
            kind: "Status",
            status: "Failure",
            code: 410,
            reason: "Expired",
          },
          message: "too old resource version",
        }),
      );
      return;
    }
    const over = Promise.withResolvers<void>();
    const timer = setTimeout(over.resolve, seconds * 1000);
    Deno.unrefTimer(timer);
    let isOver = false;
    over.promise.then(() => isOver = true);
    for (let told = version; !isOver;) {
      const lines: string[] = [];
      for (const change of this.#after(told)) {
        lines.push(line(change.type, this.#text(change.index, change.version)));
        told = change.version;
      }
      if (lines.length > 0) yield lines.join("");
      else await Promise.race([this.#changed.promise, over.promise]);
    }
    const resourceVersion = String(this.#version);
    yield line("BOOKMARK", JSON.stringify({ metadata: { resourceVersion } }));
  }

  *#after(version: number): Generator<Change> {
    const first = this.#changes[0]?.version ?? 0;
    // Versions rise by one.
    const from = Math.max(0, version - first + 1);
    for (let at = from; at < this.#changes.length; at++) {
      yield this.#changes[at]!;
    }
  }

  #change(type: Change["type"], index: number): void {
    const version = ++this.#version;
    this.#versions.set(index, version);
    this.#changes.push({ type, version, index });
    if (this.#changes.length > 2 * keptChanges) {
      this.#changes.splice(0, keptChanges);
    }
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  #text(index: number, version = this.#versions.get(index) ?? 1): string {
    return JSON.stringify(this.#make(index, version));
  }
}

function line(type: string, object: string): string {
  return `{"type":"${type}","object":${object}}\n`;
}
