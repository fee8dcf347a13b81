import {
  type Clock,
  type Endpoint,
  formatEndpoint,
  pipeDatagrams,
  Slots,
  udpIdleMs,
} from "../net/mod.ts";
import { UdpDatagrams } from "../tcp/mod.ts";
import type { Incoming, Session } from "../tunnel/mod.ts";
import { placeIn } from "./place_in.ts";
import { Shares } from "./shares.ts";
import type { UdpTarget } from "./target.ts";
import { UdpSource } from "./udp_source.ts";

/** Of all sessions together. More than one laptop has: the end of one that makes room for another may come after it. */
const maxFlows = 2048;
/** Of those, too, that peers begin, beside them. */
const maxStrangers = 256;

export interface UdpFlowsOptions {
  /** As the leash says it. */
  whyForbidden: (peer: Endpoint) => string | undefined;
  /** Whether an address is in the subnets of Services. */
  isOfService: (peer: Endpoint) => boolean;
  clock: Clock;
}

/** Flows of UDP between laptops and peers in the cluster, whoever of the two began. */
export class UdpFlows {
  readonly #options: UdpFlowsOptions;
  readonly #slots = new Slots(maxFlows);
  readonly #strangers = new Shares(maxStrangers);
  /** By the session, and the source's endpoint. */
  readonly #sources = new WeakMap<Session, Map<string, UdpSource>>();

  constructor(options: UdpFlowsOptions) {
    this.#options = options;
  }

  /** Joins a laptop's stream with a flow to where the manager may go. @throws {RefusedError} when nothing was joined. */
  async serve(
    incoming: Incoming,
    { source, ...peer }: UdpTarget,
    session: Session,
  ): Promise<void> {
    using _place = placeIn(this.#slots);
    const { clock } = this.#options;
    const flow = source
      ? this.#sourceOf(session, source).open(peer)
      : new UdpDatagrams(peer, { clock, idleMs: udpIdleMs.acceptor });
    await pipeDatagrams(flow, incoming.acceptDatagrams());
  }

  /** Resolves when no flow has a socket any more. */
  async empty(): Promise<void> {
    await this.#slots.empty();
    await this.#strangers.empty();
  }

  #sourceOf(session: Session, endpoint: Endpoint): UdpSource {
    const own = this.#sources.get(session) ?? new Map<string, UdpSource>();
    this.#sources.set(session, own);
    const key = formatEndpoint(endpoint.ip, endpoint.port);
    const known = own.get(key);
    if (known) return known;
    const source = new UdpSource({
      ...{ ...this.#options, session, source: endpoint },
      strangers: this.#strangers,
      onEmpty: () => void own.delete(key),
    });
    own.set(key, source);
    return source;
  }
}
