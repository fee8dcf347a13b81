/**
 * Where the laptop serves what is intercepted, by the UID of the intercept. The cluster names an intercept and a port of
 * the pod; what is dialled stands here alone.
 */
import { decodeLaptopTarget, type PodPort } from "../../manager/api.ts";
import {
  type Conn,
  type Datagrams,
  type Ip,
  RefusedError,
  systemClock,
  udpIdleMs,
} from "../../net/mod.ts";
import { dialTcp, refusalOfError, UdpDatagrams } from "../../tcp/mod.ts";
import type { Incoming } from "../../tunnel/mod.ts";
import type { LaptopAddress } from "./laptop_address.ts";
import { LaptopFlows } from "./laptop_flows.ts";
import type { ServerStart } from "./server_start.ts";

export interface LaptopPort {
  readonly pod: PodPort;
  /** Port of the laptop, of the same protocol. */
  readonly laptop: number;
}

export interface TableEntry {
  readonly name: string;
  /** Looked up for each connection; the first of them that takes it has it. */
  readonly address: LaptopAddress;
  readonly ports: readonly LaptopPort[];
  /** Nobody waits for an answer: who is not there gets the copies once it is. */
  readonly isCopy?: boolean;
  /** Of a server that is started with the intercept. */
  readonly start?: ServerStart | undefined;
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
    const { address, port, flows, start, isCopy } = this.#find(incoming);
    if (incoming.datagrams) {
      await flows.joinDatagrams(
        incoming,
        (signal) => openDatagrams({ address, port, isCopy }, signal),
      );
    } else {
      const dial = async (signal: AbortSignal) =>
        await dialFirst(await address.resolve(signal), port, signal);
      await flows.join(
        incoming,
        (signal) => start?.dial(dial, signal) ?? dial(signal),
      );
    }
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
    const { address, flows, start, isCopy = false } = entry;
    return { address, flows, start, isCopy, port: port.laptop };
  }
}

async function openDatagrams(
  { address, port, isCopy }: {
    address: LaptopAddress;
    port: number;
    isCopy: boolean;
  },
  signal: AbortSignal,
): Promise<Datagrams> {
  const [ip, ...others] = await address.resolve(signal);
  return new UdpDatagrams({ ip, others, port }, {
    ...{ clock: systemClock, idleMs: udpIdleMs.acceptor, isPatient: isCopy },
  });
}

/** @throws {RefusedError} what the first of them said. */
async function dialFirst(
  [ip, ...others]: readonly [Ip, ...Ip[]],
  port: number,
  signal: AbortSignal,
): Promise<Conn> {
  try {
    return await dialTcp({ ip, port }, { signal, clock: systemClock });
  } catch (error) {
    const [next, ...rest] = others;
    const isNotThere = error instanceof RefusedError &&
      (error.refusal === "refused" || error.refusal === "unreachable");
    if (next === undefined || !isNotThere) throw error;
    return await dialFirst([next, ...rest], port, signal).catch(() => {
      throw error;
    });
  }
}

/** Whether somebody takes connections there. What cannot be told counts as yes. */
export async function isListening(
  address: LaptopAddress,
  port: number,
): Promise<boolean> {
  const signal = AbortSignal.timeout(1_000);
  try {
    const ips = await address.resolve(signal);
    const conn = await dialFirst(ips, port, signal);
    conn.close();
    return true;
  } catch (error) {
    return !(error instanceof RefusedError && error.refusal === "refused");
  }
}
