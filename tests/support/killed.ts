/** Processes of `tp` that are killed at a step of what they do, and what their laptop is then. */
import assert from "node:assert/strict";
import { type Laptop, type LaptopUser, say, sleep } from "../cluster/mod.ts";
import { Tp } from "./laptop_tp.ts";
import type { LaptopView } from "./laptop_view.ts";
import { OutsidePages } from "./outside_pages.ts";
import { assertSameState } from "./same_state.ts";

export type Victim = "command" | "connector" | "daemon" | "guard";

/** Who is killed, by what there is at a step. */
export const victimSets = {
  command: [["command"]],
  early: [["command"], ["connector"]],
  all: [["command"], ["connector"], ["daemon"], ["connector", "daemon"]],
  held: [["connector"], ["daemon"], ["connector", "daemon"]],
} satisfies Record<string, Victim[][]>;

/** A step of a command, by what is seen of it from outside. */
export interface Step {
  readonly name: string;
  /** @param told What the command has printed. */
  isReached(told: string): boolean | Promise<boolean>;
}

/** Until a step is reached, and until a command has ended that has nobody to wait for. */
const stepMs = 60_000;
const endMs = 30_000;
/** A victim may have ended before the step was seen: the command is run again then, so many times. */
const attempts = 5;

export interface KilledOptions {
  readonly laptop: Laptop;
  readonly view: LaptopView;
  readonly user: LaptopUser;
  /** The words after `tp` by which it connects. */
  readonly connect: readonly string[];
  /** Asserts that the app answers, as it does without an intercept. Default: nothing. */
  readonly answers?: () => Promise<void>;
}

export interface Fault {
  /** The words after `tp`. */
  readonly args: readonly string[];
  readonly step: Step;
  readonly victims: readonly Victim[];
  /** Makes the laptop what it was before the command, which was too fast. Default: it disconnects. */
  readonly again?: () => Promise<unknown>;
  /** Ends what a killed command cannot, right after the kill. Default: nothing. */
  readonly endRest?: () => Promise<void>;
}

export class Killed {
  readonly tp: Tp;
  readonly #options: KilledOptions;

  constructor(options: KilledOptions) {
    this.#options = options;
    this.tp = new Tp(options.laptop, { user: options.user });
  }

  /**
   * Kills at a step, and connects again.
   *
   * @throws {AssertionError} unless the world outside is there by name within 2 s of the kill, each page from then on comes within
   * 1 s, and the next connection stands.
   */
  async outlive(fault: Fault): Promise<void> {
    const { laptop, connect } = this.#options;
    const { step, victims } = fault;
    const child = await this.#reach(fault);
    const pages = new OutsidePages(laptop);
    await using _ = pages;
    await pages.first;
    await fault.endRest?.();
    await this.#ended(child, step);
    const startMs = performance.now();
    await this.tp.ok([...connect]);
    const connectMs = Math.round(performance.now() - startMs);
    const { count, firstMs, slowestMs, faults } = await pages.end();
    say(
      `killed: ${step.name}: ${victims.join(" and ")}: ` +
        `first outside page ${firstMs} ms, slowest of ${count} ${slowestMs} ms, ` +
        `next connect ${connectMs} ms`,
    );
    assert.deepEqual(faults, []);
    await this.#options.answers?.();
  }

  /** @throws {AssertionError} unless the laptop, which is connected, is as it was before when it no longer is. */
  async quit(before: string): Promise<void> {
    await this.tp.ok(["quit"]);
    assertSameState(await this.#options.laptop.snapshot(), before);
  }

  /** Runs the command to the step, and kills. */
  async #reach(fault: Fault): Promise<Running> {
    const { step, victims, again = () => this.tp.ok(["quit"]) } = fault;
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const child = new Running(this.tp, fault.args);
      try {
        await child.reaches(step);
        const pids = victims.map((one) => this.#pidOf(one, child));
        if (pids.every((pid) => pid !== undefined)) {
          for (const pid of pids) Deno.kill(pid, "SIGKILL");
          return child;
        }
      } catch (error) {
        child.kill();
        await child.ended;
        throw error;
      }
      say(`killed: ${step.name}: too late for ${victims.join(" and ")}`);
      await this.#ended(child, step);
      await again();
    }
    throw new Error(`${step.name}: there is no ${victims.join(" and ")}`);
  }

  #pidOf(victim: Victim, command: Running): number | undefined {
    const { view } = this.#options;
    if (victim === "command") return command.hasEnded ? undefined : command.pid;
    if (victim === "guard") {
      const guard = view.findGuard();
      return guard && -guard.pid;
    }
    return view.find(`${victim}-foreground`)?.pid;
  }

  async #ended(child: Running, { name }: Step): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), endMs);
    const isOver = await Promise.race([child.ended.then(() => true), promise]);
    clearTimeout(timer);
    if (isOver) return;
    child.kill();
    await child.ended;
    assert.fail(`${name}: the command did not end in ${endMs} ms`);
  }
}

/** A command that runs, and what it has printed. */
class Running {
  readonly #child: Deno.ChildProcess;
  readonly #readers: ReadableStreamDefaultReader<string>[];
  #told = "";
  hasEnded = false;
  readonly ended: Promise<void>;

  constructor(tp: Tp, args: readonly string[]) {
    const pipes = { stdout: "piped", stderr: "piped" } as const;
    this.#child = tp.start([...args], pipes);
    const { stdout, stderr, status } = this.#child;
    this.#readers = [stdout, stderr].map((stream) =>
      stream.pipeThrough(new TextDecoderStream()).getReader()
    );
    const reading = this.#readers.map((reader) => this.#read(reader));
    this.ended = status.then(async () => {
      this.hasEnded = true;
      // Others of its terminal may hold the other end for longer.
      await sleep(0);
      await Promise.all(this.#readers.map((one) => one.cancel()));
      await Promise.all(reading);
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  async reaches(step: Step): Promise<void> {
    const giveUpAt = performance.now() + stepMs;
    while (!await step.isReached(this.#told)) {
      const isOver = this.hasEnded || performance.now() > giveUpAt;
      if (!isOver) await sleep(1);
      else if (await step.isReached(this.#told)) return;
      else assert.fail(`${step.name}: not reached:\n${this.#told}`);
    }
  }

  kill(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  }

  async #read(reader: ReadableStreamDefaultReader<string>): Promise<void> {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      this.#told += value;
    }
  }
}
