import type { Clock } from "../net/mod.ts";
import type { Destination } from "./destination.ts";
import type { OnTapLost } from "./serve_options.ts";
import { TapFeed } from "./tap_feed.ts";

/** The taps of one client connection: each has one connection, on which copies follow each other. */
export class Taps {
  readonly #feeds = new Map<Destination, TapFeed>();
  readonly #over = new Set<TapFeed>();
  readonly #clock: Clock;
  readonly #onLost: OnTapLost | undefined;

  constructor({ clock, onTapLost }: { clock: Clock; onTapLost?: OnTapLost }) {
    this.#clock = clock;
    this.#onLost = onTapLost;
  }

  /** The feeds for a message that begins. One that was lost is opened again; one that came by another way is ended. */
  begin(taps: readonly Destination[]): TapFeed[] {
    for (const [tap, feed] of this.#feeds) {
      if (feed.way === tap.way?.()) continue;
      this.#feeds.delete(tap);
      feed.end(this.#clock);
    }
    return taps.map((tap) => {
      let feed = this.#feeds.get(tap);
      if (feed === undefined || !feed.isOpen) {
        feed = new TapFeed(tap, (error) => this.#onLost?.(tap, error));
        this.#feeds.set(tap, feed);
        const begun = feed;
        this.#over.add(begun);
        begun.done.finally(() => this.#over.delete(begun));
      }
      feed.beginMessage();
      return feed;
    });
  }

  /** The client sends no more; resolves when the taps have what they were to get, or had time enough. */
  async end(): Promise<void> {
    for (const feed of this.#feeds.values()) feed.end(this.#clock);
    await Promise.all([...this.#over].map((feed) => feed.done));
  }

  abort(): void {
    for (const feed of this.#over) feed.abort();
  }
}
