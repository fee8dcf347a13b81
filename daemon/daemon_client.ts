import type { Subnet } from "../net/mod.ts";
import { edgeOf, reasonSentence } from "../dns/edges/choose_edge.ts";
import type { DeviceInfo, DevicePlan, TunSubnet } from "../vpn/device.ts";
import {
  daemonSocketPath,
  decodeMessage,
  encodeMessage,
  heartbeatMs,
  isZoneText,
  MessageError,
  type Reply,
  type Request,
} from "./api.ts";
import { openSockets } from "./open_sockets.ts";
import { type RefusalCode, refusalSentence } from "./refusal.ts";
import {
  type ResolverState,
  type ResolverWish,
  type UsedZone,
  usedZones,
} from "./resolver_wish.ts";
import {
  type MessageSocket,
  type Received,
  SocketError,
  type Sockets,
} from "./sockets.ts";

/** How long a daemon may take to undo everything and exit. */
const closeMs = 3_000;
/** How long a daemon may take to answer the hello; one that hangs is killed by its guard soon after. */
const helloMs = 5_000;
const turnMs = 1_000;

/** No daemon runs on this host. */
export class DaemonAbsentError extends Error {
  override readonly name = "DaemonAbsentError";

  constructor(options?: ErrorOptions) {
    super("Cannot reach the daemon: it does not run", options);
  }
}

/** Somebody holds the network of this host: another user, or another connector of this one. */
export class HeldError extends Error {
  override readonly name = "HeldError";
  readonly uid: number;

  constructor({ uid, user }: { uid: number; user: string }) {
    super(`Cannot use the network: user "${user}" is connected on this host`);
    this.uid = uid;
  }
}

/** The daemon refused; the code tells why. */
export class DaemonRefusalError extends Error {
  override readonly name = "DaemonRefusalError";
  readonly code: RefusalCode;

  /** @param action Completes "Cannot …". */
  constructor(action: string, code: RefusalCode) {
    super(`Cannot ${action}: ${refusalSentence(code)}`);
    this.code = code;
  }
}

/** Why a daemon is not there any more: it was asked to end, or it ended by itself. */
export type DaemonEnd = "closed" | "lost";

interface Answer {
  reply: Reply;
  fd?: number;
}

/**
 * The connector's end of the daemon. Heartbeats are sent by timer, so a connector that hangs is silent. Requests are asked
 * one after the other; they reject {@link DaemonRefusalError}, or {@link DaemonAbsentError} when the daemon ends meanwhile.
 */
export class DaemonClient {
  readonly #sockets: Sockets;
  readonly #socket: MessageSocket;
  readonly #ended = Promise.withResolvers<DaemonEnd>();
  #waiting: PromiseWithResolvers<Answer> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #sequence = 0;
  #closing = false;
  #over = false;

  private constructor(sockets: Sockets, socket: MessageSocket) {
    this.#sockets = sockets;
    this.#socket = socket;
  }

  /** @throws {DaemonAbsentError | HeldError} */
  static async connect(path = daemonSocketPath): Promise<DaemonClient> {
    const sockets = openSockets();
    let client: DaemonClient;
    try {
      client = new DaemonClient(sockets, connectSocket(sockets, path));
    } catch (error) {
      sockets[Symbol.dispose]();
      throw error;
    }
    client.#listen();
    try {
      await client.#hello();
      return client;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  /** Resolves when the daemon is gone, and with it all that it did. Never rejects. */
  get ended(): Promise<DaemonEnd> {
    return this.#ended.promise;
  }

  /** Opens the device. Its descriptor is the caller's to close. */
  async openDevice(plan: DevicePlan): Promise<DeviceInfo> {
    for (const family of [plan.v4, plan.v6]) checkPlaces(family);
    const { reply, fd } = await this.#ask("open the TUN device", {
      kind: "openDevice",
      mtu: plan.mtu,
      ...plan.v4 ? { v4: plan.v4.subnet } : {},
      ...plan.v6 ? { v6: plan.v6.subnet } : {},
    });
    if (reply.kind !== "device" || fd === undefined) throw unexpected(reply);
    return { ...plan, fd, name: reply.name };
  }

  async addRoute(subnet: Subnet): Promise<void> {
    const action = `route "${subnet}" to the cluster`;
    await this.#ask(action, { kind: "addRoute", subnet });
  }

  async deleteRoute(subnet: Subnet): Promise<void> {
    const action = `delete the route "${subnet}"`;
    await this.#ask(action, { kind: "deleteRoute", subnet });
  }

  /**
   * Makes the host's resolver ask `nameserver`, an address on the device: for what is in the zones where it can split,
   * before the host's own where it cannot. Zones that the daemon refuses are told and not set.
   */
  setResolver(plan: ResolverWish): Promise<ResolverState> {
    return this.#inTurn(() => this.#setResolverNow(plan));
  }

  async restoreResolver(): Promise<void> {
    await this.#ask("restore the resolver", { kind: "restoreResolver" });
  }

  /** Ends the daemon. Resolves when it has undone everything and exited, at the latest after a few seconds. */
  async close(): Promise<void> {
    this.#closing = true;
    if (!this.#over) this.#socket.endSending();
    const timer = setTimeout(() => {
      if (!this.#over) this.#socket.endReceiving();
    }, closeMs);
    await this.#ended.promise;
    clearTimeout(timer);
  }

  async #setResolverNow(plan: ResolverWish): Promise<ResolverState> {
    const { nameserver } = plan;
    const refused = await this.#addZones(plan);
    const action = `set the nameserver "${nameserver}"`;
    const { reply } = await this.#askNow(action, {
      kind: "setResolver",
      nameserver,
    });
    if (reply.kind !== "resolver") throw unexpected(reply);
    const { reason } = reply;
    return { edge: edgeOf(reason), reason: reasonSentence(reason), refused };
  }

  /** Returns those that the daemon does not take. After one that was too many it is asked of no more. */
  async #addZones(plan: ResolverWish): Promise<string[]> {
    const refused: string[] = [];
    let last: RefusalCode | undefined;
    for (const one of usedZones(plan)) {
      // What is no message would end the daemon.
      const isAsked = last !== "too-many-zones" && isZoneText(one.zone);
      if (isAsked) last = await this.#addZone(one);
      if (!isAsked || last !== undefined) refused.push(one.zone);
    }
    return refused;
  }

  /** Returns why the daemon does not take it, if so. */
  async #addZone(one: UsedZone): Promise<RefusalCode | undefined> {
    const action = `send names in "${one.zone}" to the cluster`;
    try {
      await this.#askNow(action, { kind: "addZone", ...one });
      return undefined;
    } catch (error) {
      if (error instanceof DaemonRefusalError) return error.code;
      throw error;
    }
  }

  async #hello(): Promise<void> {
    const timer = setTimeout(() => this.#socket.endReceiving(), helloMs);
    try {
      const { reply } = await this.#ask("hold the daemon", { kind: "hello" });
      if (reply.kind === "held") {
        const { uid } = reply;
        throw new HeldError({ uid, user: await userName(uid) });
      }
      if (reply.kind !== "welcome") throw unexpected(reply);
    } finally {
      clearTimeout(timer);
    }
  }

  #ask(action: string, request: Request): Promise<Answer> {
    return this.#inTurn(() => this.#askNow(action, request));
  }

  /** What several requests make is not mixed with others. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  async #askNow(action: string, request: Request): Promise<Answer> {
    if (this.#over) throw new DaemonAbsentError();
    const waiting = Promise.withResolvers<Answer>();
    this.#waiting = waiting;
    this.#sequence = (this.#sequence + 1) % 0x10000;
    this.#send(request);
    const answer = await waiting.promise;
    if (answer.reply.kind === "refused") {
      throw new DaemonRefusalError(action, answer.reply.code);
    }
    return answer;
  }

  #send(request: Request): void {
    // A daemon that takes nothing is seen by its end-of-file.
    this.#socket.send(
      encodeMessage({ ...request, sequence: this.#sequence }),
    );
  }

  /** Reads until end-of-file; then everything is over. */
  async #listen(): Promise<void> {
    const beat = setInterval(
      () => this.#send({ kind: "heartbeat" }),
      heartbeatMs,
    );
    try {
      while (this.#receiveAll()) {
        await this.#sockets.waitReadable([this.#socket], turnMs);
      }
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      this.#waiting?.reject(
        new DaemonRefusalError("use the daemon", error.code),
      );
    } finally {
      clearInterval(beat);
      this.#over = true;
      this.#socket[Symbol.dispose]();
      this.#sockets[Symbol.dispose]();
      this.#waiting?.reject(new DaemonAbsentError());
      this.#ended.resolve(this.#closing ? "closed" : "lost");
    }
  }

  /** False at end-of-file. */
  #receiveAll(): boolean {
    for (;;) {
      const received = this.#socket.receive({ descriptors: true });
      if (received === "nothing") return true;
      if (received === "end") return false;
      this.#take(received);
    }
  }

  #take({ bytes, fd }: Exclude<Received, string>): void {
    const waiting = this.#waiting;
    const { sequence, ...reply } = decodeMessage(bytes);
    const isAnswer = sequence === this.#sequence || sequence === 0;
    if (waiting === undefined || !isAnswer) {
      if (fd !== undefined) this.#sockets.closeDescriptor(fd);
      return;
    }
    this.#waiting = undefined;
    waiting.resolve({
      reply: reply as Reply,
      ...fd === undefined ? {} : { fd },
    });
  }
}

/** @throws {DaemonAbsentError} when nobody listens. */
export function connectSocket(sockets: Sockets, path: string): MessageSocket {
  try {
    return sockets.connect(path);
  } catch (error) {
    const isAbsent = error instanceof SocketError && error.reason === "absent";
    throw isAbsent ? new DaemonAbsentError({ cause: error }) : error;
  }
}

/** The daemon knows the addresses from the subnet alone. */
function checkPlaces(family: TunSubnet | undefined): void {
  if (family === undefined) return;
  const { subnet, laptop, peer } = family;
  if (!laptop.equals(subnet.at(1)) || !peer.equals(subnet.at(2))) {
    throw new RangeError(
      `Cannot open a device in "${subnet}": its addresses are not the first two`,
    );
  }
}

function unexpected({ kind }: Reply): Error {
  return new Error(`Cannot understand the daemon: it answered "${kind}"`);
}

/** The user's name, or the number where it is not known. */
async function userName(uid: number): Promise<string> {
  const text = await Deno.readTextFile("/etc/passwd").catch(() => "");
  const line = text.split("\n").find((line) => line.split(":")[2] === `${uid}`);
  return line?.split(":")[0] ?? `${uid}`;
}
