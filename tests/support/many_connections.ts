/**
 * `many_connections.ts HOST PORT COUNT`: opens COUNT connections at once, then each must echo a line of its own. It says how
 * many did, and what is wrong with the first that did not, as JSON.
 */
const [hostname, port, count] = Deno.args as [string, string, string];

let trouble: string | undefined;

function fails(error: unknown): void {
  trouble ??= String(error);
}

async function openOne(): Promise<Deno.TcpConn | undefined> {
  try {
    return await Deno.connect({ hostname, port: Number(port) });
  } catch (error) {
    fails(error);
    return undefined;
  }
}

async function echoes(conn: Deno.TcpConn, line: string): Promise<boolean> {
  using _ = conn;
  const asked = new TextEncoder().encode(line);
  const answer = new Uint8Array(asked.length);
  try {
    await conn.write(asked);
    for (let done = 0; done < answer.length;) {
      const read = await conn.read(answer.subarray(done));
      if (read === null) return false;
      done += read;
    }
  } catch (error) {
    fails(error);
    return false;
  }
  return new TextDecoder().decode(answer) === line;
}

// All are open at the same time before the first one speaks.
const opened = await Promise.all(
  Array.from({ length: Number(count) }, openOne),
);
const results = await Promise.all(
  opened.map((conn, i) => conn !== undefined && echoes(conn, `line ${i}`)),
);
// deno-lint-ignore no-console -- its output is its result
console.log(JSON.stringify({
  asked: Number(count),
  echoed: results.filter(Boolean).length,
  trouble,
}));
