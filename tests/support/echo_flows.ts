/**
 * `echo_flows.ts HOST PORT COUNT`: COUNT connections to a service that echoes, each with one message under way all the time.
 * It says `open` when all are; for each line that comes in it watches for a second and says how many messages came back,
 * and the longest that one took, as JSON.
 */
const [hostname, port, count] = Deno.args as [string, string, string];
const watchMs = 1_000;
const message = new Uint8Array(4096);

let echoes = 0;
let longestMs = 0;

async function ask(conn: Deno.TcpConn): Promise<void> {
  const answer = new Uint8Array(message.length);
  for (;;) {
    const startMs = performance.now();
    for (let done = 0; done < message.length;) {
      done += await conn.write(message.subarray(done));
    }
    for (let done = 0; done < answer.length;) {
      const read = await conn.read(answer.subarray(done));
      if (read === null) throw new Error("Cannot go on: a connection ended");
      done += read;
    }
    echoes++;
    longestMs = Math.max(longestMs, performance.now() - startMs);
  }
}

function say(line: string): void {
  // deno-lint-ignore no-console -- who started this reads it
  console.log(line);
}

const conns = await Promise.all(
  Array.from(
    { length: Number(count) },
    () => Deno.connect({ hostname, port: Number(port) }),
  ),
);
// One that fails ends the program.
for (const conn of conns) void ask(conn);
say("open");
for await (const _ of Deno.stdin.readable) {
  echoes = longestMs = 0;
  await new Promise((resolve) => setTimeout(resolve, watchMs));
  say(JSON.stringify({ echoes, longestMs: Math.round(longestMs) }));
}
