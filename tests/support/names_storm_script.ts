/**
 * Asks for very many names of the cluster at a time, half of which exist, and all the while for one of the outside, by the
 * first nameserver and directly. Prints what came of it as a line of JSON.
 *
 * Arguments: the first nameserver, the host's own, how many names.
 */
// deno-lint-ignore-file no-console -- the test reads the line
import { createSocket, type Socket } from "node:dgram";
import { Buffer } from "node:buffer";
// @ts-types="@types/dns-packet"
import packet from "dns-packet";

/** What {@link names_storm_script} prints. */
export interface Storm {
  /** Names by what was said of them. */
  readonly told: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** How long questions about the outside took, in milliseconds. */
  readonly through: Latency;
  readonly direct: Latency;
}

export interface Latency {
  readonly count: number;
  readonly lost: number;
  readonly p50: number;
  readonly p99: number;
}

/** Questions about the cluster that wait for their answers. */
const inFlight = 500;
const patienceMs = 3_000;
const probeEveryMs = 25;

/** Asks over UDP; one socket for all questions. */
class Asker implements Disposable {
  readonly #socket: Socket = createSocket("udp4");
  readonly #waiting = new Map<number, (answer: packet.Packet) => void>();
  #id = 0;

  constructor(readonly nameserver: string) {
    this.#socket.on("message", (message) => {
      const answer = packet.decode(Buffer.from(message));
      this.#waiting.get(answer.id!)?.(answer);
    });
  }

  /** What is said of `name`: a code, whether it is cut short, or silence. */
  async ask(name: string): Promise<string> {
    const id = this.#id = (this.#id + 1) & 0xffff;
    const answered = Promise.withResolvers<packet.Packet | undefined>();
    this.#waiting.set(id, answered.resolve);
    const timer = setTimeout(answered.resolve, patienceMs, undefined);
    const query = packet.encode({
      ...{ type: "query", id, flags: packet.RECURSION_DESIRED },
      questions: [{ type: "A", name }],
    });
    this.#socket.send(query, 53, this.nameserver);
    const answer = await answered.promise;
    clearTimeout(timer);
    this.#waiting.delete(id);
    if (answer === undefined) return "silence";
    return (answer as packet.DecodedPacket).flag_tc
      ? "cut"
      : `code ${answer.flags! & 15}, ${answer.answers!.length} records`;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** Asks for a name of the outside at a steady pace until the end. */
async function probe(nameserver: string, end: AbortSignal): Promise<Latency> {
  using asker = new Asker(nameserver);
  const times: number[] = [];
  let lost = 0;
  while (!end.aborted) {
    const startedMs = performance.now();
    const told = await asker.ask("outside.example.test");
    if (told === "code 0, 1 records") times.push(performance.now() - startedMs);
    else lost++;
    await new Promise((resolve) => setTimeout(resolve, probeEveryMs));
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(share * times.length)] ?? NaN;
  return { count: times.length, lost, p50: at(0.5), p99: at(0.99) };
}

async function storm(
  nameserver: string,
  count: number,
): Promise<Record<string, number>> {
  using asker = new Asker(nameserver);
  const told: Record<string, number> = {};
  let next = 0;
  const askOneAfterTheOther = async () => {
    while (next < count) {
      const i = next++;
      const name = i % 2 === 0
        ? `10-244-${i >> 8}-${i & 255}.default.pod.cluster.local`
        : `absent-${i}.default.svc`;
      // As resolvers do that were told to come over TCP, or nothing at all.
      let answer = "silence";
      for (let turn = 0; turn < 5 && /silence|cut/.test(answer); turn++) {
        answer = await asker.ask(name);
      }
      const key = `${i % 2 === 0 ? "present" : "absent"}: ${answer}`;
      told[key] = (told[key] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, askOneAfterTheOther));
  return told;
}

if (import.meta.main) {
  const [nameserver = "", own = "", count = ""] = Deno.args;
  const end = new AbortController();
  const probes = [nameserver, own].map((one) => probe(one, end.signal));
  const startedMs = performance.now();
  const told = await storm(nameserver, Number(count));
  const seconds = (performance.now() - startedMs) / 1000;
  end.abort();
  const [through, direct] = await Promise.all(probes);
  const result = { told, seconds, through: through!, direct: direct! };
  console.log(JSON.stringify(result satisfies Storm));
}
