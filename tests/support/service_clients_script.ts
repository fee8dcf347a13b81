// deno-lint-ignore-file no-console -- its lines are read by service_clients.ts
/**
 * Clients of one Service, which ask without a pause: `service_clients_script.ts ADDRESS HTTP_PORT [TCP_PORT]`.
 *
 * - Every quarter of a second a request, on a connection of its own, whatever became of those before:
 *   `asked STARTED`, then `answer STARTED ENDED WHO` or `failed STARTED ENDED WHY`, in ms since 1970.
 * - One connection, on which numbered lines are sent and must come back in their order:
 *   `open WHO`, `echo COUNT AT`, `broken WHY`. One that broke is opened anew.
 */
const everyMs = 250;
const lineMs = 50;
/** Longer than anybody should wait for a laptop. */
const patienceMs = 45_000;
const pauseMs = 200;

const [hostname = "", http = "80", tcp] = Deno.args;

setInterval(() => void ask(), everyMs);
if (tcp !== undefined) void converse(Number(tcp));

async function ask(): Promise<void> {
  const startedMs = Date.now();
  console.log(`asked ${startedMs}`);
  let told: string;
  try {
    const who = /"who": ?"([^"]+)"/.exec(await request())?.[1];
    told = who === undefined ? "failed" : "answer";
    say(told, startedMs, who ?? "no-answer");
  } catch (error) {
    say("failed", startedMs, (error as Error).name);
  }
}

function say(what: string, startedMs: number, word: string): void {
  console.log(`${what} ${startedMs} ${Date.now()} ${word}`);
}

async function request(): Promise<string> {
  const signal = AbortSignal.timeout(patienceMs);
  using conn = await Deno.connect({ hostname, port: Number(http), signal });
  const end = () => conn.close();
  signal.addEventListener("abort", end, { once: true });
  try {
    const head = `GET /who HTTP/1.1\r\nHost: clients\r\nConnection: close\r\n`;
    await conn.write(new TextEncoder().encode(`${head}\r\n`));
    return await new Response(conn.readable).text();
  } finally {
    signal.removeEventListener("abort", end);
  }
}

async function converse(port: number): Promise<never> {
  for (;;) {
    await conversation(port).catch(({ name, message }: Error) =>
      console.log(`broken ${name}: ${message}`)
    );
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** Rejects when the connection ends, or brings what was not sent. */
async function conversation(port: number): Promise<void> {
  using conn = await Deno.connect({ hostname, port });
  let next = 0;
  const timer = setInterval(() => {
    const line = new TextEncoder().encode(`${next++}\n`);
    conn.write(line).catch(() => clearInterval(timer));
  }, lineMs);
  try {
    let rest = "";
    let echoed = -1;
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(64 * 1024);
    for (;;) {
      const read = await conn.read(buffer);
      if (read === null) throw new Error("it was ended");
      const lines = (rest + decoder.decode(buffer.subarray(0, read)))
        .split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        if (echoed < 0) console.log(`open ${line}`);
        else if (line !== String(echoed)) {
          throw new Error(`${line} in the place of ${echoed}`);
        }
        echoed++;
      }
      if (lines.length > 0) console.log(`echo ${echoed} ${Date.now()}`);
    }
  } finally {
    clearInterval(timer);
  }
}
