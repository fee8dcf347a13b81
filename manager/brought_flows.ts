import { RefusedError } from "../net/mod.ts";
import type { Incoming } from "../tunnel/mod.ts";
import { decodeTarget, type UdpTarget } from "./target.ts";

/** The peer, and the app that it sends to. */
export type BroughtTarget = Required<Omit<UdpTarget, "kind">>;

/** Accepts the stream, or throws {@link RefusedError}. */
export type TakeBrought = (
  target: BroughtTarget,
  incoming: Pick<Incoming, "acceptDatagrams" | "signal">,
) => Promise<void>;

/** The laptop's side of flows of UDP that peers in the cluster begin with its apps, which the manager brings. */
export class BroughtFlows {
  #take: TakeBrought = () => {
    throw new RefusedError("refused", "Nobody here has sent to others");
  };

  /** Has them taken, until this is undone. */
  takeBy(take: TakeBrought): Disposable {
    const before = this.#take;
    this.#take = take;
    return { [Symbol.dispose]: () => void (this.#take = before) };
  }

  /** Answers a stream that the manager opens, some time. False, and nothing is done, when it is no such flow. */
  serve(incoming: Incoming): boolean {
    const target = incoming.datagrams
      ? decodeTarget(incoming.target)
      : undefined;
    if (target?.kind !== "udp" || target.source === undefined) return false;
    const { ip, port, source } = target;
    void this.#serve(incoming, { ip, port, source });
    return true;
  }

  async #serve(incoming: Incoming, target: BroughtTarget): Promise<void> {
    try {
      await this.#take(target, incoming);
    } catch (error) {
      const { refusal, message } = error instanceof RefusedError
        ? error
        : new RefusedError("failed", "The flow was not taken");
      incoming.refuse(refusal, message);
    }
  }
}
