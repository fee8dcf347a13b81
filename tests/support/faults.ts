/** What can befall a laptop and its way to the cluster. The bed only. */
import { type Cluster, type Laptop, sleep } from "../cluster/mod.ts";
import {
  listConnections,
  resetConnections,
  type Server,
  swallowConnection,
} from "./carriers.ts";
import type { LaptopScript } from "./laptop_script.ts";

/** A fault, and how it is judged. */
export interface Fault {
  /** Completes the sentence "outlives …". */
  readonly name: string;
  /** Resolves when what was broken is whole again. */
  make(): Promise<void>;
  /** How soon after that all goes on. */
  readonly withinMs: number;
  /** For how long nothing can pass while it is made; absent: it costs carriers, whose streams move. */
  readonly silenceMs?: number;
}

/** How soon all goes on when the cluster can be reached again. */
const reconnectMs = 3_000;
/** How soon it does on a laptop that has woken up, or finds itself in another network. */
const wakeMs = 5_000;

export interface FaultsOptions {
  readonly cluster: Cluster;
  readonly laptop: Laptop;
  /** Its pid. */
  readonly connector: number;
  /** To whom the connector's connections go: a proxy, when it is not the API server itself. */
  readonly server?: Server;
}

export class Faults implements AsyncDisposable {
  readonly #options: FaultsOptions;
  readonly #server: Server;
  #elsewhere: AsyncDisposable | undefined;

  constructor(options: FaultsOptions) {
    this.#options = options;
    this.#server = options.server ?? options.cluster;
  }

  /** Whether the laptop is in another network. */
  get isAway(): boolean {
    return this.#elsewhere !== undefined;
  }

  reset(): Fault {
    return {
      name: "a reset of every connection to the API server",
      make: () => resetConnections(this.#options.laptop, this.#server),
      withinMs: reconnectMs,
    };
  }

  /** @param proxy `connect_proxy.ts` */
  end(proxy: LaptopScript): Fault {
    return {
      name: "a FIN on every connection",
      make: () => proxy.tell("end"),
      withinMs: reconnectMs,
    };
  }

  restart(): Fault {
    return {
      name: "a restart of the API server",
      make: () => this.#options.cluster.restartApiServer(),
      withinMs: reconnectMs,
    };
  }

  /** Every second time it leads back. */
  roam(): Fault {
    const name = this.#elsewhere === undefined
      ? "another address and another default route"
      : "the way back to the former network";
    return { name, make: () => this.#roam(), withinMs: wakeMs };
  }

  /** The connector stands still, as on a laptop that sleeps. */
  stop(seconds: number): Fault {
    const { connector } = this.#options;
    return {
      name: `${seconds} s of a stopped connector`,
      make: async () => {
        Deno.kill(connector, "SIGSTOP");
        try {
          await sleep(seconds * 1000);
        } finally {
          Deno.kill(connector, "SIGCONT");
        }
      },
      withinMs: wakeMs,
      silenceMs: seconds * 1000,
    };
  }

  /** On the laptop's usual link: not while it is away. */
  blackHole(seconds: number): Fault {
    return {
      name: `${seconds} s of a black hole in both directions`,
      make: async () => {
        await using _ = await this.#options.laptop.severCluster();
        await sleep(seconds * 1000);
      },
      withinMs: reconnectMs,
      silenceMs: seconds * 1000,
    };
  }

  /** The busiest carrier carries nothing any more; it is not waited for that it would again. */
  oneBlackHole(): Fault {
    const { laptop } = this.#options;
    return {
      name: "a black hole on the busiest carrier",
      make: async () => {
        const [busiest] = await listConnections(laptop, this.#server);
        await using _ = await swallowConnection(laptop, busiest!);
        // By then it has been given up.
        await sleep(6_000);
      },
      withinMs: reconnectMs,
    };
  }

  /** Leads home. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#elsewhere !== undefined) await this.#roam();
  }

  async #roam(): Promise<void> {
    if (this.#elsewhere === undefined) {
      this.#elsewhere = await this.#options.laptop.roam();
    } else {
      await this.#elsewhere[Symbol.asyncDispose]();
      this.#elsewhere = undefined;
    }
  }
}
