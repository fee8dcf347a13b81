/**
 * The certificate authority of the manager: agents and the API server trust it, and nobody else need.
 *
 * 1. There are two, the present one and the next. Who trusts them has both, so that the next can take over any time.
 * 2. They are in a Secret, for all copies of the manager; whichever is first makes it. Who deletes it changes nothing as
 *    long as a copy is there: agents trust what they were told.
 * 3. A year after the next one was made it becomes the present one, and a fresh one the next.
 * 4. The present one signs what this copy serves with, each day anew.
 *
 * So whoever was told both is served for at least a year. An agent is told those of the day with each of its tokens, and
 * so outlives any number of them; one that starts anew trusts what its pod's annotation says. When the Secret is lost and
 * no copy is there, another line of authorities begins: agents are replaced when they are wanted next.
 */
import { logger } from "../log.ts";
import type { Clock } from "../net/mod.ts";
import {
  type Certificate,
  makeCertificate,
  validityOf,
} from "./certificate.ts";
import { Feed } from "./feed.ts";

const log = logger("manager");

const dayMs = 86_400_000;
const rotationMs = 365 * dayMs;
/** Two turns, one as the next and one as the present, and a while for managers that were not there. */
const validMs = 2 * rotationMs + 60 * dayMs;
const servingMs = dayMs;
/** Clocks may be wrong by this much. */
const skewMs = dayMs;
/** How often it is looked what other copies did, and after something failed. */
const lookMs = 60_000;
const retryMs = 5_000;
/** How often a Secret that others change at the same time is read anew. */
const maxAttempts = 5;

export interface Authorities {
  /**
   * Names all that follow each other: who trusts some of a line is served by the next. Another line begins when all are
   * lost, and nobody who is there trusts it. Absent where a former version began it.
   */
  readonly line?: string;
  readonly present: Certificate;
  readonly next: Certificate;
}

/** Where the authorities of all copies are. */
export interface AuthorityStore {
  /** `undefined` when there are none. */
  read(): Promise<Authorities | undefined>;
  /**
   * Writes in place of what was read last; false when somebody else has written since.
   */
  write(authorities: Authorities): Promise<boolean>;
}

export interface AuthorityOptions {
  store: AuthorityStore;
  /** Sees to it that the API server takes what `bundle` has signed; called each time it is looked. */
  makeTrusted: (bundle: string) => Promise<void>;
  clock: Clock;
  /** Milliseconds since 1970. */
  time?: () => number;
}

interface Serving {
  readonly feed: Feed<Certificate>;
  issuer?: string;
  until: number;
}

export class Authority implements AsyncDisposable {
  readonly #options: AuthorityOptions;
  readonly #time: () => number;
  readonly #bundles = new Feed<string>();
  readonly #serving = new Map<string, Serving>();
  readonly #closed = new AbortController();
  readonly #running: Promise<void>;
  #authorities: Authorities | undefined;
  #wake = () => {};

  /** Begins at once, and goes on until disposed of; what fails is tried again. */
  constructor(options: AuthorityOptions) {
    this.#options = options;
    this.#time = options.time ?? Date.now;
    this.#running = this.#run();
  }

  /** The line of the authorities; `undefined` while they are not known. */
  get line(): Pick<Authorities, "line"> | undefined {
    return this.#authorities;
  }

  /** PEM of the certificates that whoever connects shall trust. */
  get bundles(): Feed<string> {
    return this.#bundles;
  }

  /** What to serve with under `name`: the first as soon as there is an authority, then another before each ends. */
  certificates(name: string): Feed<Certificate> {
    let serving = this.#serving.get(name);
    if (serving === undefined) {
      serving = { feed: new Feed(), until: 0 };
      this.#serving.set(name, serving);
      this.#wake();
    }
    return serving.feed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#closed.signal.aborted) {
      const asked = this.#serving.size;
      try {
        await this.#look();
        failures = 0;
      } catch (error) {
        if (failures++ === 0) log.error("no certificates", { error });
      }
      // A name may have come meanwhile.
      if (this.#serving.size > asked && failures === 0) continue;
      await this.#pause(failures > 0 ? retryMs : lookMs);
    }
  }

  /** Who trusts is told before anything is served that needs it. */
  async #look(): Promise<void> {
    this.#authorities = await this.#settled();
    const { present, next } = this.#authorities;
    const bundle = `${present.cert}${next.cert}`;
    try {
      await this.#options.makeTrusted(bundle);
    } catch (error) {
      // Agents that are there need nothing of it.
      log.warn("the webhook's authority cannot be told", { error });
    }
    if (this.#bundles.value !== bundle) this.#bundles.set(bundle);
    for (const [name, serving] of this.#serving) {
      await this.#renew(name, serving, present);
    }
  }

  async #renew(
    name: string,
    serving: Serving,
    issuer: Certificate,
  ): Promise<void> {
    const now = this.#time();
    if (serving.issuer === issuer.cert && now < serving.until) return;
    const certificate = await makeCertificate({
      name,
      issuer,
      notBefore: new Date(now - skewMs),
      notAfter: new Date(now + servingMs + skewMs),
    });
    Object.assign(serving, { issuer: issuer.cert, until: now + servingMs });
    serving.feed.set(certificate);
  }

  /** What all copies agree on. */
  async #settled(): Promise<Authorities> {
    const { store } = this.#options;
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const found = await store.read();
      const known = found ?? this.#authorities;
      const wanted = await successor(known, this.#time());
      if (wanted === found) return found;
      if (await store.write(wanted)) {
        const what = wanted === known
          ? "the authorities were gone, and are written anew"
          : known
          ? "another certificate authority"
          : "authorities made";
        log.info(what);
        return wanted;
      }
    }
    throw new Error("Cannot keep the certificate authorities: others do too");
  }

  async #pause(ms: number): Promise<void> {
    if (this.#closed.signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const callOff = this.#options.clock.after(ms, resolve);
    this.#wake = resolve;
    await promise;
    callOff();
  }
}

/** The same when nothing is due. */
export async function successor<T extends Authorities | undefined>(
  found: T,
  now: number,
): Promise<T & Authorities | Authorities> {
  if (found === undefined) return await freshAuthorities(now);
  const { notBefore, notAfter } = validityOf(found.next);
  // Nobody was there for years.
  if (notAfter.getTime() - now < rotationMs / 2) {
    return await freshAuthorities(now);
  }
  if (now - notBefore.getTime() < rotationMs) return found;
  return { ...found, present: found.next, next: await freshAuthority(now) };
}

async function freshAuthorities(now: number): Promise<Authorities> {
  return {
    line: crypto.randomUUID(),
    present: await freshAuthority(now),
    next: await freshAuthority(now),
  };
}

/** Each has a name of its own: by that a certificate tells who signed it. */
function freshAuthority(now: number): Promise<Certificate> {
  return makeCertificate({
    name: `tp traffic-manager ${crypto.randomUUID()}`,
    authority: true,
    notBefore: new Date(now - skewMs),
    notAfter: new Date(now + validMs),
  });
}
