/**
 * Where the laptop serves what is intercepted, by the UID of the intercept. The cluster names an intercept and a port of
 * the pod; what is dialled stands here alone.
 */
import { decodeLaptopTarget, type PodPort } from "../../manager/api.ts";
import {
  type Conn,
  type Ip,
  RefusedError,
  systemClock,
} from "../../net/mod.ts";
import { dialTcp, refusalOfError, UdpDatagrams } from "../../tcp/mod.ts";
import type { Incoming } from "../../tunnel/mod.ts";
import { LaptopFlows } from "./laptop_flows.ts";

/** A flow of datagrams on which nothing goes for so long has ended. */
const idleMs = 60_000;

export interface LaptopPort {
  readonly pod: PodPort;
  /** Port of the laptop, of the same protocol. */
  readonly laptop: number;
}

export interface TableEntry {
  readonly name: string;
  /** The first that takes a connection has it. */
  readonly addresses: readonly [Ip, ...Ip[]];
  readonly ports: readonly LaptopPort[];
}

export class InterceptTable {
  readonly #entries = new Map<string, TableEntry & { flows: LaptopFlows }>();

  set(uid: string, entry: TableEntry): void {
    this.#entries.set(uid, { ...entry, flows: new LaptopFlows() });
  }

  /** Takes no more of it. Resolves when what was under way has ended, or has been ended. */
  async delete(uid: string): Promise<void> {
    const entry = this.#entries.get(uid);
    this.#entries.delete(uid);
    await entry?.flows.end();
  }

  /** Answers a stream that the manager opens. Returns at once; nothing is thrown later. */
  readonly serve = (incoming: Incoming): void => {
    this.#serve(incoming).catch((error) => {
      const { refusal, message } = refusalOfError(error);
      incoming.refuse(refusal, message);
    });
  };

  async #serve(incoming: Incoming): Promise<void> {
    const { addresses, port, flows } = this.#find(incoming);
    if (incoming.datagrams) {
      const [ip] = addresses;
      const flow = new UdpDatagrams({ ip, port }, {
        ...{ clock: systemClock, idleMs },
      });
      await flows.joinDatagrams(flow, incoming.acceptDatagrams());
      return;
    }
    const conn = await dialFirst(addresses, port, incoming.signal);
    await flows.join(conn, incoming.accept());
  }

  #find(incoming: Incoming) {
    const target = decodeLaptopTarget(incoming.target);
    const protocol = incoming.datagrams ? "UDP" : "TCP";
    const entry = target && this.#entries.get(target.intercept);
    const port = entry?.ports.find(({ pod }) =>
      pod.port === target!.port.port && pod.protocol === protocol &&
      target!.port.protocol === protocol
    );
    if (entry === undefined || port === undefined) {
      const detail = "The laptop has no such intercept";
      throw new RefusedError("unknown-target", detail);
    }
    const { addresses, flows } = entry;
    return { addresses, flows, port: port.laptop };
  }
}

/** @throws {RefusedError} what the last of them said. */
async function dialFirst(
  [ip, ...others]: readonly [Ip, ...Ip[]],
  port: number,
  signal: AbortSignal,
): Promise<Conn> {
  try {
    return await dialTcp({ ip, port }, { signal, clock: systemClock });
  } catch (error) {
    const [next, ...rest] = others;
    const isRefused = error instanceof RefusedError &&
      error.refusal === "refused";
    if (next === undefined || !isRefused) throw error;
    return await dialFirst([next, ...rest], port, signal).catch(() => {
      throw error;
    });
  }
}

/** Whether somebody takes connections there. What cannot be told counts as yes. */
export async function isListening(
  addresses: readonly [Ip, ...Ip[]],
  port: number,
): Promise<boolean> {
  try {
    const conn = await dialFirst(addresses, port, AbortSignal.timeout(1_000));
    conn.close();
    return true;
  } catch (error) {
    return !(error instanceof RefusedError && error.refusal === "refused");
  }
}
