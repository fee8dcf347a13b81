/**
 * The TCP flows of one address family that are turned round, shared by the worker (every packet) and the main thread
 * (begin and end of a flow).
 *
 * A slot's number is the port that the flow seems to come from. The source port of the app is tried first, so a flow is
 * nearly always found at the first look; flows of equal source port stand in the slots behind it.
 *
 *     free -> held       worker: the first SYN came, and is kept until the dial is answered
 *     held -> open       main:   the dial was accepted
 *     held -> free       main:   refused, or given up
 *     open -> ended      worker: a reset, or the FINs of both directions, went by
 *
 * An open or ended slot serves another flow once the main thread has let go of it (its connection is closed) and the
 * time of late packets is over. So an idle connection never loses its slot, and a slot never serves a flow while a
 * connection of the flow before it may still come out of the listener.
 *
 * The generation, counted for each slot, tells its flows apart: the main thread names a flow by both.
 */

/** The life of a slot. */
export const flowStates = { free: 0, held: 1, open: 2, ended: 3 } as const;
export type FlowState = typeof flowStates[keyof typeof flowStates];

/** Bits beside the state: which directions have ended, and that the main thread has let go. */
export const finFromApp = 4;
export const finFromService = 8;
const bothFins = finFromApp | finFromService;
const isLetGo = 16;
const stateBits = 3;
const flagBits = 0xffff;

// One slot in words. The first holds the generation in its upper half, state and flags in its lower.
const lifeAt = 0;
const portsAt = 1;
const addressAt = 2;
const addressDeltaAt = 6;
const portDeltaAt = 7;
/** Tick at which a slot that was let go is free. */
const freeFromAt = 8;
/** Tick of the flow's latest SYN, and ticks between it and the one before. */
const synTickAt = 9;
const synGapAt = 10;
const slotWords = 11;

const slots = 0x10000;
/** The current time stands behind the slots. */
const tickAt = slots * slotWords;
/** How many slots, from the source port on, may hold a flow. */
const reach = 64;

/** Time in the table goes in steps, so that the packet path needs no clock. */
export const tickMs = 500;
/** How long late packets find their way: as long as the kernel remembers a connection (TIME_WAIT). */
const lingerTicks = 60_000 / tickMs;
/** The same for a connection whose end was not seen: longer than the kernel repeats a FIN nobody answers. */
const unseenEndTicks = 180_000 / tickMs;
/** An app repeats its SYN after one second first, then after at most twice as long as before. */
const firstSynGapTicks = 1_000 / tickMs;
const synGraceTicks = 1_500 / tickMs;

export class NatTable {
  readonly memory: SharedArrayBuffer;
  readonly #words: Uint32Array;
  readonly #addressWords: number;

  /** @param memory Of the table in the other thread; a fresh one without. */
  constructor(
    family: 4 | 6,
    memory = new SharedArrayBuffer((tickAt + 1) * 4),
  ) {
    this.memory = memory;
    this.#words = new Uint32Array(memory);
    this.#addressWords = family === 4 ? 1 : 4;
  }

  // The worker's part.

  /**
   * The slot of a flow, or -1. One that has ended gives way to one that has not.
   *
   * @param ports Source and destination port as they stand in the packet. The source address is the laptop's own.
   * @param words The packet's memory in words; the destination address stands at `at`.
   */
  find(ports: number, words: Uint32Array, at: number): number {
    let ended = -1;
    for (let i = 0; i < reach; i++) {
      const slot = (ports >>> 16) + i & 0xffff;
      if (!this.#holds(slot, ports, words, at)) continue;
      const state = this.state(slot);
      if (state === flowStates.ended) ended = slot;
      else if (state !== flowStates.free) return slot;
    }
    return ended;
  }

  /** Takes a slot for a flow and holds it; -1 when there is none within reach. Parameters as of {@link find}. */
  claim(ports: number, words: Uint32Array, at: number): number {
    let free = -1;
    let recycled = -1;
    let shortestWait = Infinity;
    for (let i = 0; i < reach; i++) {
      const slot = (ports >>> 16) + i & 0xffff;
      // Nothing comes from port 0.
      if (slot === 0) continue;
      const wait = this.#ticksUntilFree(slot);
      // The kernel knows how to begin a connection anew between the same ends.
      if (wait < Infinity && this.#holds(slot, ports, words, at)) {
        return this.#hold(slot);
      }
      if (wait === 0) {
        if (free < 0) free = slot;
      } else if (wait < shortestWait) {
        shortestWait = wait;
        recycled = slot;
      }
    }
    const slot = free < 0 ? recycled : free;
    if (slot < 0) return -1;
    const base = slot * slotWords;
    this.#words[base + portsAt] = ports;
    for (let i = 0; i < this.#addressWords; i++) {
      this.#words[base + addressAt + i] = words[at + i]!;
    }
    return this.#hold(slot);
  }

  /** Sets what the checksums of the flow's forward packets gain by the rewrite of addresses and of ports. */
  setDeltas(
    slot: number,
    { address, port }: { address: number; port: number },
  ): void {
    this.#words[slot * slotWords + addressDeltaAt] = address;
    this.#words[slot * slotWords + portDeltaAt] = port;
  }

  /** The SYN of a held flow was repeated: its app still waits. */
  noteSyn(slot: number): void {
    const at = slot * slotWords;
    const tick = this.#tick;
    this.#words[at + synGapAt] = Math.max(
      firstSynGapTicks,
      tick - this.#words[at + synTickAt]! >>> 0,
    );
    this.#words[at + synTickAt] = tick;
  }

  /** A FIN went by: {@link finFromApp} or {@link finFromService}. */
  noteFin(slot: number, direction: number): void {
    this.#change(slot, (life) => {
      const fins = life | direction;
      return (fins & bothFins) === bothFins ? fins | flowStates.ended : fins;
    });
  }

  /** A reset went by. */
  noteReset(slot: number): void {
    this.#change(slot, (life) => life | flowStates.ended);
  }

  // The main thread's part. A slot that is another flow's by then is left alone.

  /** Opens a held flow. Returns false when it is held no more. */
  open(slot: number, generation: number): boolean {
    const held = generation << 16 | flowStates.held;
    const open = generation << 16 | flowStates.open;
    const at = slot * slotWords + lifeAt;
    return Atomics.compareExchange(this.#words, at, held >>> 0, open >>> 0) ===
      held >>> 0;
  }

  /** Frees a flow that was not opened. */
  refuse(slot: number, generation: number): void {
    const at = slot * slotWords + lifeAt;
    const life = Atomics.load(this.#words, at);
    if (life >>> 16 !== generation) return;
    Atomics.compareExchange(this.#words, at, life, generation << 16 >>> 0);
  }

  /** The connection of an opened flow is closed: nothing more comes of it but late packets. */
  letGo(slot: number, generation: number): void {
    if (this.generation(slot) !== generation) return;
    const linger = this.state(slot) === flowStates.ended
      ? lingerTicks
      : unseenEndTicks;
    this.#words[slot * slotWords + freeFromAt] = this.#tick + linger;
    this.#change(slot, (life) => life | isLetGo);
  }

  /** True while the dial of the flow may still be answered. */
  isHeld(slot: number, generation: number): boolean {
    return this.generation(slot) === generation &&
      this.state(slot) === flowStates.held;
  }

  /** True when the flow was reset, or both directions have ended. */
  hasEnded(slot: number, generation: number): boolean {
    return this.generation(slot) !== generation ||
      this.state(slot) === flowStates.ended;
  }

  /** True when the flow ended by a reset, before both directions had ended. */
  wasReset(slot: number, generation: number): boolean {
    const life = this.#life(slot);
    return life >>> 16 === generation &&
      (life & stateBits) === flowStates.ended && (life & bothFins) !== bothFins;
  }

  /** True when the app of a held flow seems to wait no more: the SYN that was due has not come. */
  isAbandoned(slot: number): boolean {
    const at = slot * slotWords;
    const waited = this.#tick - this.#words[at + synTickAt]! >>> 0;
    return waited > 2 * this.#words[at + synGapAt]! + synGraceTicks;
  }

  /** Moves the time by one step of {@link tickMs}. */
  passTick(): void {
    Atomics.add(this.#words, tickAt, 1);
  }

  // Both.

  state(slot: number): FlowState {
    return (this.#life(slot) & stateBits) as FlowState;
  }

  generation(slot: number): number {
    return this.#life(slot) >>> 16;
  }

  sourcePort(slot: number): number {
    return this.#words[slot * slotWords + portsAt]! >>> 16;
  }

  destinationPort(slot: number): number {
    return this.#words[slot * slotWords + portsAt]! & 0xffff;
  }

  /** One word of the destination address as it stands in a packet. */
  destinationWord(slot: number, index: number): number {
    return this.#words[slot * slotWords + addressAt + index]!;
  }

  addressDelta(slot: number): number {
    return this.#words[slot * slotWords + addressDeltaAt]!;
  }

  portDelta(slot: number): number {
    return this.#words[slot * slotWords + portDeltaAt]!;
  }

  get #tick(): number {
    return Atomics.load(this.#words, tickAt);
  }

  #life(slot: number): number {
    return Atomics.load(this.#words, slot * slotWords + lifeAt);
  }

  #holds(slot: number, ports: number, words: Uint32Array, at: number): boolean {
    const base = slot * slotWords;
    if (this.#words[base + portsAt] !== ports) return false;
    for (let i = 0; i < this.#addressWords; i++) {
      if (this.#words[base + addressAt + i] !== words[at + i]) return false;
    }
    return true;
  }

  /** 0 for a free slot, Infinity for one in use. */
  #ticksUntilFree(slot: number): number {
    const life = this.#life(slot);
    if ((life & stateBits) === flowStates.free) return 0;
    if ((life & isLetGo) === 0) return Infinity;
    const wait = this.#words[slot * slotWords + freeFromAt]! - this.#tick | 0;
    return Math.max(0, wait);
  }

  #hold(slot: number): number {
    const at = slot * slotWords;
    this.#words[at + synTickAt] = this.#tick;
    this.#words[at + synGapAt] = firstSynGapTicks;
    const life = (this.generation(slot) + 1) << 16 | flowStates.held;
    Atomics.store(this.#words, at + lifeAt, life >>> 0);
    return slot;
  }

  /** Changes state and flags; the generation stays. */
  #change(slot: number, change: (flags: number) => number): void {
    const at = slot * slotWords + lifeAt;
    for (;;) {
      const life = Atomics.load(this.#words, at);
      const changed = (life & ~flagBits | change(life & flagBits)) >>> 0;
      const found = Atomics.compareExchange(this.#words, at, life, changed);
      if (found === life) return;
    }
  }
}
