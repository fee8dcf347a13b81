import {
  type Clock,
  type Endpoint,
  formatEndpoint,
  pipeDatagrams,
  Rate,
  RefusedError,
  udpIdleMs,
} from "../net/mod.ts";
import { UdpDatagrams, UdpMapping } from "../tcp/mod.ts";
import type { Session } from "../tunnel/mod.ts";
import type { Shares } from "./shares.ts";
import { encodeTarget } from "./target.ts";

/** More flows of one mapping leave by ports of their own: the kernel looks for a peer among all that share one. */
const maxMapped = 256;
/** How often strangers are brought; who sends more often is not heard. */
const rate = { perSecond: 8, burst: 32 };
/** For how long, and of how many, it is known that the laptop does not want them. */
const unwantedMs = 5_000;
const maxUnwanted = 64;

export interface UdpSourceOptions {
  session: Session;
  /** As the laptop names it. */
  source: Endpoint;
  /** Places for strangers, by the laptop's thumbprint. */
  strangers: Shares;
  /** As the leash says it. */
  whyForbidden: (peer: Endpoint) => string | undefined;
  /** Whether an address is in the subnets of Services. */
  isOfService: (peer: Endpoint) => boolean;
  /** It has no mapping any more. */
  onEmpty: () => void;
  clock: Clock;
}

/**
 * What one source of a laptop sends and hears: its flows leave the manager's pod by one port, and whoever else sends to that
 * is brought to the laptop as one more flow.
 *
 * Services have a port of their own beside that of all others: where a connection to a Service is made one to its pod
 * without a trace (by BPF), two sockets of one port would be the same to the kernel.
 */
export class UdpSource {
  readonly #options: UdpSourceOptions;
  readonly #mappings = new Map<"services" | "others", UdpMapping>();
  readonly #rate: Rate;
  /** Until when, by the peer. */
  readonly #unwanted = new Map<string, number>();

  /** Empty: to be opened a flow at once. */
  constructor(options: UdpSourceOptions) {
    this.#options = options;
    this.#rate = new Rate({ clock: options.clock, ...rate });
  }

  /** A flow to a peer of the source's family. @throws {RefusedError} */
  open(peer: Endpoint): UdpDatagrams {
    try {
      const mapping = this.#mappingFor(peer);
      if (mapping.size < maxMapped) return mapping.open(peer);
    } catch (error) {
      // Where ports cannot be shared, or there is none, it is a flow all the same.
      if (!(error instanceof RefusedError)) throw error;
    }
    const { clock } = this.#options;
    return new UdpDatagrams(peer, { clock, idleMs: udpIdleMs.acceptor });
  }

  #mappingFor(peer: Endpoint): UdpMapping {
    const { isOfService, source, clock, onEmpty } = this.#options;
    const kind = isOfService(peer) ? "services" : "others";
    const known = this.#mappings.get(kind);
    if (known) return known;
    const mapping = new UdpMapping({
      ...{ family: source.ip.family, idleMs: udpIdleMs.acceptor, clock },
      onStranger: (peer, open) => {
        if (mapping.size < maxMapped) void this.#bring(peer, open);
      },
      onEmpty: () => {
        this.#mappings.delete(kind);
        if (this.#mappings.size === 0) onEmpty();
      },
    });
    this.#mappings.set(kind, mapping);
    return mapping;
  }

  /** Where the manager may not go, nobody is heard either. Never rejects. */
  async #bring(
    peer: Endpoint,
    open: () => UdpDatagrams | undefined,
  ): Promise<void> {
    const { session, source, strangers } = this.#options;
    if (!this.#mayBring(peer)) return;
    using place = strangers.take(session.peer.thumbprint ?? "");
    const flow = place && open();
    if (flow === undefined) return;
    const ended = new AbortController();
    const { released } = flow;
    released.then(() => ended.abort());
    const target = encodeTarget({ kind: "udp", ...peer, source });
    await session.openDatagrams(target, { signal: ended.signal }).then(
      (stream) => pipeDatagrams(flow, stream),
      () => {
        this.#leave(peer);
        flow.close();
      },
    );
    await released;
  }

  #mayBring(peer: Endpoint): boolean {
    const { session, whyForbidden, clock } = this.#options;
    const until = this.#unwanted.get(formatEndpoint(peer.ip, peer.port));
    return whyForbidden(peer) === undefined &&
      (until === undefined || until <= clock.now()) &&
      // A laptop that is away answers nothing.
      session.stats().state === "connected" && this.#rate.take();
  }

  /** Leaves a peer alone for a while. */
  #leave({ ip, port }: Endpoint): void {
    const [oldest] = this.#unwanted.keys();
    if (this.#unwanted.size >= maxUnwanted) this.#unwanted.delete(oldest!);
    const key = formatEndpoint(ip, port);
    this.#unwanted.delete(key);
    this.#unwanted.set(key, this.#options.clock.now() + unwantedMs);
  }
}
