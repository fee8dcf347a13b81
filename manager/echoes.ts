import {
  type Clock,
  type Datagrams,
  type Ip,
  Rate,
  RefusedError,
  Slots,
} from "../net/mod.ts";
import type { OpenPingSocket } from "../tcp/mod.ts";
import type { Session } from "../tunnel/mod.ts";
import { EchoFlow } from "./echo_flow.ts";
import { EchoProber } from "./echo_prober.ts";

/** Of one session. A laptop keeps to less. */
const maxFlows = 128;
const rate = { perSecond: 200, burst: 200 };

/** ICMP echo for laptops: real requests from this pod, a bounded number for each session. */
export class Echoes {
  readonly #clock: Clock;
  readonly #probers: { readonly 4: EchoProber; readonly 6: EchoProber };
  readonly #allowances = new WeakMap<
    Session,
    { flows: Slots; rate: Rate }
  >();

  constructor({ clock, open }: { clock: Clock; open: OpenPingSocket }) {
    this.#clock = clock;
    const prober = (family: 4 | 6) => new EchoProber({ family, open, clock });
    this.#probers = { 4: prober(4), 6: prober(6) };
  }

  /**
   * A flow of echoes to an address, to be disposed of.
   *
   * @throws {RefusedError} `unknown-target` when this process may send none.
   */
  open(to: Ip, session: Session): Datagrams & Disposable {
    const prober = this.#probers[to.family];
    if (!prober.isAllowed) {
      const detail = "The manager may not send ICMP echo requests: " +
        "net.ipv4.ping_group_range of its pod leaves it out";
      throw new RefusedError("unknown-target", detail);
    }
    const { flows, rate } = this.#allowanceOf(session);
    const place = flows.take();
    if (place === undefined) {
      throw new RefusedError("overloaded", "Too many flows of ICMP echo");
    }
    const flow = new EchoFlow({ to, prober, mayAsk: () => rate.take() });
    return Object.assign(flow, {
      [Symbol.dispose]() {
        flow.close();
        place[Symbol.dispose]();
      },
    });
  }

  /** Waits for no reply any more. */
  async stop(): Promise<void> {
    await Promise.all([this.#probers[4].stop(), this.#probers[6].stop()]);
  }

  #allowanceOf(session: Session): { flows: Slots; rate: Rate } {
    const known = this.#allowances.get(session);
    if (known) return known;
    const allowance = {
      flows: new Slots(maxFlows),
      rate: new Rate({ clock: this.#clock, ...rate }),
    };
    this.#allowances.set(session, allowance);
    return allowance;
  }
}
