/**
 * A byte flow to a port inside a pod.
 *
 * 1. SPDY/3.1 inside a WebSocket: what kubectl does, and what most gateways let through.
 * 2. SPDY/3.1 on the bare connection: servers before 1.31, proxies that know no WebSocket.
 * 3. WebSocket channels: gateways that know only those; slow upwards.
 * 4. kubectl's own port-forward: credentials and gateways that only it gets along with.
 * 5. A command in the pod: users who may run one and not forward ports, runtimes that do not forward to loopback.
 *
 * What worked is tried first the next time. A no that another way would not change is told at once.
 */
import { logger } from "../log.ts";
import { type Conn, RefusedError } from "../net/mod.ts";
import { withDeadline } from "./_deadline.ts";
import { withFirstByte } from "./_first_byte.ts";
import { kubectlWay } from "./_kubectl.ts";
import { type Failures, isLasting, mayHelp } from "./_ladder.ts";
import { dialMs, type Requests } from "./_requests.ts";
import {
  channelWay,
  execWay,
  spdyWay,
  spdyWebSocketWay,
} from "./_upgrade_ways.ts";
import {
  type PortForwardOptions,
  type PortForwardWay,
  portForwardWays,
  type Way,
} from "./_way.ts";
import { ApiError } from "./api_error.ts";

const log = logger("k8s");

/** One way may take this long, in ms: from the dialling to the pod's taking the streams. */
const openMs = dialMs + 10_000;

const ways: Record<PortForwardWay, Way> = {
  "spdy-websocket": spdyWebSocketWay,
  spdy: spdyWay,
  channel: channelWay,
  kubectl: kubectlWay,
  exec: execWay,
};

export interface PortForwarderOptions {
  /** Tried first. */
  way?: PortForwardWay | undefined;
  /** Called with each other way that is tried first from then on. */
  onWay?: ((way: PortForwardWay) => void) | undefined;
}

export class PortForwarder {
  readonly #requests: Requests;
  readonly #onWay: (way: PortForwardWay) => void;
  #first: PortForwardWay | undefined;
  #last: PortForwardWay | undefined;

  constructor(
    requests: Requests,
    { way, onWay = () => {} }: PortForwarderOptions = {},
  ) {
    this.#requests = requests;
    this.#first = way;
    this.#onWay = onWay;
  }

  /** How the last flow was opened. */
  get way(): PortForwardWay | undefined {
    return this.#last;
  }

  async open({ signal, ...target }: PortForwardOptions): Promise<Conn> {
    const failures: Failures = new Map();
    for (const way of this.#order()) {
      if (way === "exec" && target.bridge === undefined) continue;
      if (way === "kubectl" && !this.#requests.access.kubectl) continue;
      if (!mayHelp(way, failures)) continue;
      try {
        const conn = await this.#tryWay(way, {
          ...target,
          ...signal ? { signal } : {},
        });
        this.#note(way, failures);
        return conn;
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        log.debug("port-forward failed", { way, error });
        failures.set(way, error);
      }
    }
    throw this.#requests.sorted(mostTelling(failures), signal);
  }

  #order(): readonly PortForwardWay[] {
    const first = this.#first;
    if (first === undefined) return portForwardWays;
    return [first, ...portForwardWays.filter((way) => way !== first)];
  }

  /** A worse way is not kept to because a better one broke off by chance. */
  #note(way: PortForwardWay, failures: Failures): void {
    this.#last = way;
    const better = portForwardWays.slice(0, portForwardWays.indexOf(way));
    const isProven = better.every((one) =>
      !failures.has(one) || isLasting(failures.get(one))
    );
    if (!isProven || way === this.#first) return;
    this.#first = way;
    this.#onWay(way);
  }

  #tryWay(
    way: PortForwardWay,
    { signal, speaksFirst = false, ...target }: PortForwardOptions,
  ): Promise<Conn> {
    const { clock } = this.#requests;
    return withDeadline({ ms: openMs, clock, signal }, async (signal) => {
      const conn = await ways[way].open(this.#requests, target, signal);
      return speaksFirst ? await withFirstByte(conn, { clock, signal }) : conn;
    });
  }
}

/**
 * The server's own words before those about the connection, those of the better way before those of the worse; what
 * kubectl and the bridge say only where nothing else was tried, since nobody has asked for them.
 */
function mostTelling(failures: Failures): unknown {
  const tried = portForwardWays.filter((way) => failures.has(way));
  const own = tried.filter((way) => way !== "kubectl" && way !== "exec");
  const errors = (own.length > 0 ? own : tried)
    .map((way) => failures.get(way));
  return errors.find((error) => error instanceof ApiError) ??
    errors.find((error) => error instanceof RefusedError) ?? errors[0];
}
