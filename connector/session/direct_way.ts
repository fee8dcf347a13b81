/**
 * The manager's direct endpoint, where it has one: a shortcut for carriers of sessions that began through the API server.
 *
 * 1. The manager tells endpoint and certificate in the session.
 * 2. The endpoint's addresses are kept out of the tunnel, which runs over them, before they are dialled.
 * 3. Who answers there with that certificate is the manager; the session's carrier joins.
 */
import { logger } from "../../log.ts";
import type { DirectOffer } from "../../manager/api.ts";
import { formatDirectEndpoint, type Manager } from "../../manager/client.ts";
import { type Conn, type Ip, unlessAborted } from "../../net/mod.ts";
import type { Session } from "../../tunnel/mod.ts";
import { directAddresses } from "./direct_addresses.ts";
import { dialDirect } from "./direct_dial.ts";

const log = logger("connector");

/** Kept out of the tunnel; beyond that the first to have been dialled gives way. */
const maxAddresses = 64;

/** The endpoint that was told last, and how it was at the last dialling. */
export interface DirectStatus {
  /** `HOST:PORT` */
  readonly endpoint: string;
  /** Why it could not be reached, as a sentence without final period; absent when it could, or was not tried yet. */
  readonly trouble?: string;
}

export interface DirectWayOptions {
  dial?: typeof dialDirect;
}

export class DirectWay {
  readonly #dialOffer: typeof dialDirect;
  /** By their text. Those of earlier diallings too: connections to them may stand. */
  readonly #addresses = new Map<string, Ip>();
  #listener: () => Promise<void> = () => Promise.resolve();
  #keeping: Promise<void> = Promise.resolve();
  #status: DirectStatus | undefined;

  constructor({ dial = dialDirect }: DirectWayOptions = {}) {
    this.#dialOffer = dial;
  }

  /** Addresses that must stay outside the tunnel. */
  get addresses(): Ip[] {
    return [...this.#addresses.values()];
  }

  /** `undefined` while no manager has told of one. */
  get status(): DirectStatus | undefined {
    return this.#status;
  }

  /** Has `listener` called when {@link addresses} have changed; they are dialled when it has resolved. */
  onChange(listener: () => Promise<void>): void {
    this.#listener = listener;
  }

  /** Gives the session its shortcut, as the manager tells it, until the signal fires. Never rejects. */
  async follow(
    session: Pick<Session, "shortcut">,
    { manager, signal }: {
      manager: Pick<Manager, "direct">;
      signal: AbortSignal;
    },
  ): Promise<void> {
    this.#status = undefined;
    try {
      for await (const offer of manager.direct({ signal })) {
        this.#status = { endpoint: formatDirectEndpoint(offer.endpoint) };
        session.shortcut(({ signal }) => this.#dial(offer, signal));
      }
    } catch (error) {
      log.debug("no direct way is told any more", { error });
    }
  }

  async #dial(offer: DirectOffer, signal: AbortSignal): Promise<Conn> {
    const endpoint = formatDirectEndpoint(offer.endpoint);
    try {
      const addresses = await unlessAborted(
        directAddresses(offer.endpoint),
        signal,
      );
      const keeping = this.#keeping.then(() => this.#keepOutside(addresses));
      this.#keeping = keeping.catch(() => {});
      await unlessAborted(keeping, signal);
      const conn = await this.#dialOffer(offer, { addresses, signal });
      log.info("direct way", { endpoint });
      this.#tell({ endpoint });
      return conn;
    } catch (error) {
      const trouble = error instanceof Error ? error.message : String(error);
      if (!signal.aborted) this.#tell({ endpoint, trouble });
      throw error;
    }
  }

  #tell(status: DirectStatus): void {
    const { endpoint, trouble } = this.#status ?? {};
    // A session that is being left may know another endpoint.
    if (endpoint !== status.endpoint) return;
    this.#status = status;
    const isOther = status.trouble !== trouble;
    if (status.trouble && isOther) log.warn("no direct way", { ...status });
  }

  async #keepOutside(addresses: readonly Ip[]): Promise<void> {
    const fresh = addresses.filter((ip) => !this.#addresses.has(String(ip)));
    for (const ip of addresses) { // what was dialled last stays longest
      const text = String(ip);
      if (this.#addresses.delete(text)) this.#addresses.set(text, ip);
    }
    if (fresh.length === 0) return;
    for (const ip of fresh) this.#addresses.set(String(ip), ip);
    const surplus = this.#addresses.size - maxAddresses;
    if (surplus > 0) {
      for (const text of [...this.#addresses.keys()].slice(0, surplus)) {
        this.#addresses.delete(text);
      }
    }
    try {
      await this.#listener();
    } catch (error) {
      // The next dialling is to try once more.
      for (const ip of fresh) this.#addresses.delete(String(ip));
      throw error;
    }
  }
}
