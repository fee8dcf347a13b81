import { type Ip, RefusedError, type Subnet } from "../../net/mod.ts";
import type { World } from "../../manager/api.ts";
import type { WorldView } from "../session/world_view.ts";

/**
 * How long a flow to an address that belongs to nobody waits: the cluster's DNS may tell of a Service a moment before the
 * manager does.
 */
const newcomerMs = 300;

export interface MappedAddressesOptions {
  view: WorldView;
  /** What the user has asked for by address, and reaches whichever namespace it is of. */
  also: () => readonly Subnet[];
}

/** Which addresses of the cluster this laptop reaches: all, or those of the namespaces that are mapped. */
export class MappedAddresses {
  readonly #options: MappedAddressesOptions;
  #last: { list: readonly Ip[]; texts: ReadonlySet<string> } | undefined;

  constructor(options: MappedAddressesOptions) {
    this.#options = options;
  }

  /** The only ones, as text; `undefined` when all are reached. */
  get only(): ReadonlySet<string> | undefined {
    const { addresses: list } = this.#options.view.current;
    if (list === undefined) return undefined;
    if (this.#last?.list !== list) {
      this.#last = { list, texts: new Set(list.map(String)) };
    }
    return this.#last.texts;
  }

  /** @throws {RefusedError} `forbidden` when `ip` is of a namespace that is not mapped, or nobody's. */
  async mustReach(ip: Ip): Promise<void> {
    if (this.#isReached(ip)) return;
    const { view } = this.#options;
    await view.until(() => this.#isReached(ip), newcomerMs);
    if (this.#isReached(ip)) return;
    const detail = `${ip} is not of a mapped namespace`;
    throw new RefusedError("forbidden", detail);
  }

  #isReached(ip: Ip): boolean {
    const { only } = this;
    if (only === undefined || only.has(String(ip))) return true;
    const { view, also } = this.#options;
    const ofCluster = narrowest(ip, subnetsOf(view.current));
    return ofCluster < 0 || narrowest(ip, also()) >= ofCluster;
  }
}

function subnetsOf({ serviceSubnets, podSubnets }: World): Subnet[] {
  return [...serviceSubnets, ...podSubnets];
}

/** The longest prefix of the subnets that hold `ip`; -1 when none does. */
function narrowest(ip: Ip, subnets: readonly Subnet[]): number {
  return Math.max(
    -1,
    ...subnets.filter((subnet) => subnet.contains(ip)).map((one) => one.prefix),
  );
}
