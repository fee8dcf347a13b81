/**
 * Asks for a name of the outside again and again, by the first nameserver and directly in turn, until a line is read. Says
 * when it begins, and in the end how long the answers took, as lines of which the last is JSON.
 *
 * Arguments: the first nameserver, the host's own, the name.
 */
// deno-lint-ignore-file no-console -- the test reads the lines
import { Asker } from "./names_storm_script.ts";

/** What is printed in the end. */
export interface Outside {
  readonly through: Latency;
  readonly direct: Latency;
}

/** How long questions took, in milliseconds. */
export interface Latency {
  readonly count: number;
  readonly lost: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const everyMs = 10;

class Probe {
  readonly #asker: Asker;
  readonly #times: number[] = [];
  #lost = 0;

  constructor(nameserver: string) {
    this.#asker = new Asker(nameserver);
  }

  async ask(name: string): Promise<void> {
    const startedMs = performance.now();
    const told = await this.#asker.ask(name);
    const ms = performance.now() - startedMs;
    if (told === "code 0, 1 records") this.#times.push(ms);
    else this.#lost++;
  }

  end(): Latency {
    this.#asker[Symbol.dispose]();
    const times = this.#times.sort((a, b) => a - b);
    const at = (share: number) =>
      times[Math.floor(share * times.length)] ?? NaN;
    return {
      ...{ count: times.length, lost: this.#lost },
      ...{ p50: at(0.5), p99: at(0.99), max: times.at(-1) ?? NaN },
    };
  }
}

if (import.meta.main) {
  const [first = "", own = "", name = ""] = Deno.args;
  const [through, direct] = [new Probe(first), new Probe(own)];
  // The first of each loads code.
  for (const nameserver of [first, own]) {
    using asker = new Asker(nameserver);
    await asker.ask(name);
  }
  console.log("ready");
  let isEnough = false;
  Deno.stdin.read(new Uint8Array(16)).then(() => isEnough = true);
  while (!isEnough) {
    await through.ask(name);
    await direct.ask(name);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  const told = { through: through.end(), direct: direct.end() };
  console.log(JSON.stringify(told satisfies Outside));
  Deno.exit();
}
