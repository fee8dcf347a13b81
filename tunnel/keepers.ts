import type { Carrier } from "./carrier.ts";
import { Keeper, type KeeperOptions } from "./keeper.ts";
import type { Dial } from "./session.ts";

/** An address that does not answer today may do so tomorrow; nobody waits for it. */
const longestShortcutPauseMs = 5 * 60_000;

export interface KeepersOptions extends Omit<KeeperOptions, "isOwn" | "open"> {
  dial: Dial;
  /** Opens one carrier by `dial`, which joins the session. */
  open: (
    options: { dial: Dial; isShortcut: boolean; signal: AbortSignal },
  ) => Promise<void>;
}

/** A dialer's keepers: of the carriers that can begin a session, and of those by a shortcut while there is one. */
export class Keepers {
  readonly #options: KeepersOptions;
  readonly #plain: Keeper;
  #dialShortcut: Dial | undefined;
  #shortcut: Keeper | undefined;
  #hasTrouble = false;

  constructor(options: KeepersOptions) {
    const { dial, open } = options;
    this.#options = options;
    this.#plain = new Keeper({
      ...options,
      isOwn: (one) => !one.isShortcut,
      open: (signal) => open({ dial, isShortcut: false, signal }),
      onTrouble: (trouble) => this.#onTrouble(trouble),
    });
  }

  shortcut(dial: Dial | undefined): void {
    this.#dialShortcut = dial;
    if (dial === undefined) {
      this.#shortcut?.stop();
      this.#shortcut = undefined;
      return;
    }
    this.#shortcut ??= this.#keepShortcut();
    this.#shortcut.wake();
  }

  onJoined(carrier: Carrier): void {
    this.#of(carrier)?.onJoined(carrier);
    if (this.#hasTrouble) this.#onTrouble(undefined);
  }

  onLost(carrier: Carrier): void {
    this.#of(carrier)?.onLost(carrier);
  }

  onSuspect(carrier: Carrier): void {
    (this.#of(carrier) ?? this.#plain).onSuspect(carrier);
  }

  /** See {@link Keeper.onBulk}. While there are shortcuts, bulk is theirs. */
  onBulk(streams: number): void {
    const { carriers } = this.#options.host;
    const hasShortcut = carriers.values().some((one) => one.isShortcut);
    (hasShortcut ? this.#shortcut : this.#plain)?.onBulk(streams);
  }

  wake(): void {
    this.#plain.wake();
    this.#shortcut?.wake();
  }

  stop(): void {
    this.#plain.stop();
    this.#shortcut?.stop();
  }

  #of({ isShortcut }: Carrier): Keeper | undefined {
    return isShortcut ? this.#shortcut : this.#plain;
  }

  #keepShortcut(): Keeper {
    const { open } = this.#options;
    return new Keeper({
      ...this.#options,
      isOwn: (one) => one.isShortcut,
      open: (signal) =>
        open({ dial: this.#dialShortcut!, isShortcut: true, signal }),
      longestPauseMs: longestShortcutPauseMs,
      // Nothing stands still for the lack of one.
      onTrouble: () => {},
    });
  }

  /** While a shortcut carries all, nobody needs to know that nothing else does. */
  #onTrouble(trouble: Error | undefined): void {
    const { host, onTrouble } = this.#options;
    if (trouble !== undefined && host.carriers.size > 0) return;
    this.#hasTrouble = trouble !== undefined;
    onTrouble(trouble);
  }
}
