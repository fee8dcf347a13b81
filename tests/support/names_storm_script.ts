/**
 * Asks for very many names of the cluster at a time, half of which exist. Prints a line when the last was asked, and what
 * came of all as a line of JSON.
 *
 * Arguments: the nameserver, how many names.
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
}

/** Questions about the cluster that wait for their answers. */
const inFlight = 500;
const patienceMs = 3_000;

/** Asks over UDP; one socket for all questions. */
export class Asker implements Disposable {
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
      if (next === count) console.log("asked");
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
  const [nameserver = "", count = ""] = Deno.args;
  const startedMs = performance.now();
  const told = await storm(nameserver, Number(count));
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(JSON.stringify({ told, seconds } satisfies Storm));
}
