/**
 * A connection that is joined with the app as it is, or with the laptop, and may have to be read as requests later.
 *
 * 1. The client's first octets tell what it speaks. What is no HTTP is never more than joined.
 * 2. HTTP/1: as soon as no request is under way the two flows are handed over, to go on request by request. Requests of a
 *    client that does not wait for answers are kept back until those before them have theirs.
 * 3. HTTP/2: what both sides have told each other is lost, so the client is told to come anew with further requests (RFC
 *    9113 section 6.8). Those that are under way, or come before it has heard, go on as they are.
 */
import { type Conn, pipeBuffers, quantum, writeAll } from "../../net/mod.ts";
import { Buffer } from "node:buffer";
import { codeOf, goAwayFrame, maxWindow } from "../h2/frame.ts";
import { sniff } from "../sniff.ts";
import { FrameFollower } from "./frame_follower.ts";
import { H1Follower } from "./h1_follower.ts";
import { ResumedConn } from "./resumed_conn.ts";

/** An HTTP/1 connection on which no request is under way. */
export interface AtRest {
  readonly client: Conn;
  /** Joined with it until here. */
  readonly app: Conn;
}

/** How both flows have ended, if they were not handed over. */
export type StandingEnd = AtRest | "ended" | "broken";

/** One direction. */
interface Way {
  readonly from: Conn;
  readonly to: Conn;
  /** Resolves to how many were passed; the others must wait. */
  readonly pass: (octets: Uint8Array) => Promise<number>;
  /** What the read that was pending at the handover has brought. */
  readonly rest: PromiseWithResolvers<Uint8Array | null>;
  isWriting: boolean;
}

const comeAnew = goAwayFrame(maxWindow, codeOf("none"));

export class Standing {
  readonly #client: Conn;
  readonly #app: Conn;
  readonly #over = Promise.withResolvers<StandingEnd>();
  readonly #up: Way;
  readonly #down: Way;
  /** The first octets, while they do not tell what it is. */
  #first: Uint8Array | undefined = new Uint8Array(0);
  #h1: H1Follower | undefined;
  #frames: FrameFollower | undefined;
  #areRequestsWanted = false;
  #telling: Promise<void> | undefined;
  #hasEnded = false;
  #isHandedOver = false;
  /** While requests are kept back. */
  #held: PromiseWithResolvers<void> | undefined;

  /** Takes both over. */
  constructor(client: Conn, app: Conn) {
    this.#client = client;
    this.#app = app;
    this.#up = this.#way(client, app, (octets) => this.#passUp(octets));
    this.#down = this.#way(app, client, (octets) => this.#passDown(octets));
  }

  /** Whether it is to be read as requests, as soon as may be. */
  set areRequestsWanted(value: boolean) {
    this.#areRequestsWanted = value;
    if (!value) {
      this.#letGo();
      return;
    }
    this.#handOverIfAtRest();
    if (this.#frames?.isBetween && !this.#down.isWriting) this.#tell();
  }

  /** Resolves to the two flows when they are handed over, or when both are closed. Never rejects. */
  run(): Promise<StandingEnd> {
    this.#carryBoth();
    return this.#over.promise;
  }

  #way(from: Conn, to: Conn, pass: Way["pass"]): Way {
    const rest = Promise.withResolvers<Uint8Array | null>();
    rest.promise.catch(() => {});
    return { from, to, pass, rest, isWriting: false };
  }

  async #carryBoth(): Promise<void> {
    try {
      await Promise.all([this.#carry(this.#up), this.#carry(this.#down)]);
      if (this.#isHandedOver) return;
      this.#client.close();
      this.#app.close();
      this.#over.resolve("ended");
    } catch {
      if (this.#isHandedOver) return;
      this.#client.reset();
      this.#app.reset();
      this.#hasEnded = true;
      this.#letGo();
      this.#over.resolve("broken");
    }
  }

  async #carry(way: Way): Promise<void> {
    const { from, to, pass, rest } = way;
    let buffer = pipeBuffers.take();
    try {
      while (!this.#isHandedOver) {
        const read = await from.read(buffer);
        if (this.#isHandedOver) {
          return rest.resolve(read === null ? null : buffer.slice(0, read));
        }
        if (read === null) break;
        let octets = read === buffer.length ? buffer : buffer.subarray(0, read);
        for (;;) {
          way.isWriting = true;
          const passed = await pass(octets);
          way.isWriting = false;
          if (this.#areRequestsWanted) this.#handOverIfAtRest();
          if (passed === octets.length) break;
          octets = octets.subarray(passed);
          if (!this.#isHandedOver && this.#mayHold) await this.#untilLetGo();
          if (this.#isHandedOver) return rest.resolve(octets.slice());
        }
        buffer = pipeBuffers.fit(buffer, read);
        const nextTurn = quantum.spend(read);
        if (nextTurn !== undefined) await nextTurn;
      }
    } catch (error) {
      rest.reject(error);
      throw error;
    } finally {
      pipeBuffers.giveBack(buffer);
    }
    if (this.#isHandedOver) return rest.resolve(new Uint8Array(0));
    this.#hasEnded = true;
    this.#letGo();
    await to.closeWrite();
  }

  /** Whether requests may wait for the handover. */
  get #mayHold(): boolean {
    return this.#areRequestsWanted && !this.#hasEnded &&
      this.#h1 !== undefined && !this.#h1.isLost;
  }

  async #untilLetGo(): Promise<void> {
    this.#held = Promise.withResolvers();
    await this.#held.promise;
    this.#held = undefined;
  }

  #letGo(): void {
    this.#held?.resolve();
  }

  #handOverIfAtRest(): void {
    const isPassing = this.#up.isWriting || this.#down.isWriting;
    if (this.#isHandedOver || this.#hasEnded || isPassing) return;
    if (!this.#h1?.isAtRest) return;
    this.#isHandedOver = true;
    this.#letGo();
    this.#over.resolve({
      client: new ResumedConn(this.#client, this.#up.rest.promise),
      app: new ResumedConn(this.#app, this.#down.rest.promise),
    });
  }

  async #passUp(octets: Uint8Array): Promise<number> {
    let passed = octets.length;
    if (this.#first !== undefined) this.#listen(this.#first, octets);
    else if (this.#h1 !== undefined) {
      const untilEnd = this.#mayHold;
      passed = this.#h1.fromClient(octets, { untilEnd });
    }
    await writeAll(
      this.#app,
      passed === octets.length ? octets : octets.subarray(0, passed),
    );
    return passed;
  }

  #listen(before: Uint8Array, octets: Uint8Array): void {
    const heard = before.length === 0
      ? octets
      : Buffer.concat([before, octets]);
    const protocol = sniff(heard);
    this.#first = protocol === "undecided" ? heard.slice() : undefined;
    if (protocol === "h2") this.#frames = new FrameFollower();
    else if (protocol === "h1") {
      this.#h1 = new H1Follower();
      this.#h1.fromClient(heard);
    }
  }

  async #passDown(octets: Uint8Array): Promise<number> {
    // HTTP's servers do not speak first.
    this.#first = undefined;
    this.#h1?.fromApp(octets);
    if (this.#h1?.isLost) this.#letGo();
    await this.#writeDown(octets);
    return octets.length;
  }

  async #writeDown(octets: Uint8Array): Promise<void> {
    if (this.#frames === undefined) return await writeAll(this.#client, octets);
    const at = this.#frames.follow(octets);
    if (this.#telling !== undefined) await this.#telling;
    else if (this.#areRequestsWanted && at >= 0) {
      await writeAll(this.#client, octets.subarray(0, at));
      this.#tell();
      await this.#telling;
      return await writeAll(this.#client, octets.subarray(at));
    }
    await writeAll(this.#client, octets);
  }

  /** Once. Nothing else is written until it is. */
  #tell(): void {
    // A client that is gone is noticed elsewhere.
    this.#telling ??= writeAll(this.#client, comeAnew).catch(() => {});
  }
}
