import { type Clock, type Conn, Ip, RefusedError } from "../net/mod.ts";
import { dialTcp } from "../tcp/mod.ts";

const loopback = { 4: Ip.parse("127.0.0.1"), 6: Ip.parse("::1") } as const;

export type Family = 4 | 6;

export interface AppOptions {
  readonly port: number;
  /** Addresses of the pod. */
  readonly ownAddresses: readonly Ip[];
  readonly clock: Clock;
}

/**
 * The app on one port of the pod. It is asked at the pod's address of the family by which the client came, then at the
 * other one, then on loopback; where it was found it is looked for first.
 */
export class App {
  readonly #options: AppOptions;
  readonly #found = new Map<Family, Ip>();

  constructor(options: AppOptions) {
    this.#options = options;
  }

  /** @throws {RefusedError} what it said at the first address: `refused` when it listens nowhere. */
  async open(
    family: Family,
    { signal }: { signal: AbortSignal },
  ): Promise<Conn> {
    const { port, clock } = this.#options;
    let first: unknown;
    for (const ip of this.#places(family)) {
      try {
        const conn = await dialTcp({ ip, port }, { signal, clock });
        this.#found.set(family, ip);
        return conn;
      } catch (error) {
        if (!isElsewhere(error)) throw error;
        first ??= error;
      }
    }
    throw first;
  }

  /** Where datagrams go: whether anybody takes them there is not told. */
  addressFor(family: Family): Ip {
    const [first] = this.#places(family);
    return first!;
  }

  #places(family: Family): Ip[] {
    const found = this.#found.get(family);
    const { ownAddresses } = this.#options;
    const all = [
      ...found === undefined ? [] : [found],
      ...ownAddresses.filter((ip) => ip.family === family),
      ...ownAddresses.filter((ip) => ip.family !== family),
      loopback[family],
      loopback[family === 4 ? 6 : 4],
    ];
    return all.filter((ip, i) => all.findIndex((one) => one.equals(ip)) === i);
  }
}

function isElsewhere(error: unknown): boolean {
  return error instanceof RefusedError &&
    (error.refusal === "refused" || error.refusal === "unreachable");
}
