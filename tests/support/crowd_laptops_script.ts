// deno-lint-ignore-file no-console -- its lines are read by the test
/**
 * Laptops, each with a session and nothing else: `crowd_laptops_script.ts COUNT`, in the network of the manager's pod.
 *
 * - Prints a JSON list of their thumbprints once all are connected, and `again COUNT MS` when all are after they were not.
 * - Each answers a request with its thumbprint and the intercept that it was asked for.
 */
import { clientPort, decodeLaptopTarget } from "../../manager/api.ts";
import { writeAll } from "../../net/mod.ts";
import { TcpConn } from "../../tcp/mod.ts";
import {
  createIdentity,
  dialSession,
  type Identity,
  type Incoming,
} from "../../tunnel/mod.ts";

const count = Number(Deno.args[0]);
const to = { hostname: "127.0.0.1", port: clientPort };
const connected = new Set<string>();
let lostMs: number | undefined;

const identities = await Promise.all(
  Array.from({ length: count }, createIdentity),
);
for (const identity of identities) void keep(identity);

async function keep(identity: Identity): Promise<never> {
  for (;;) {
    try {
      const session = await dialSession({
        product: "crowd",
        identity,
        dial: async () => new TcpConn(await Deno.connect(to)),
        serve: (incoming) => void serve(incoming, identity.thumbprint),
        onCarrier: ({ live }) => note(identity.thumbprint, live > 0),
      });
      await session.ended;
    } catch { /* the manager is away */ }
    note(identity.thumbprint, false);
    await new Promise((resolve) =>
      setTimeout(resolve, 50 + 200 * Math.random())
    );
  }
}

function note(thumbprint: string, isThere: boolean): void {
  if (!isThere) {
    if (connected.delete(thumbprint)) lostMs ??= Date.now();
    return;
  }
  connected.add(thumbprint);
  if (connected.size < count) return;
  if (lostMs === undefined) {
    console.log(JSON.stringify(identities.map(({ thumbprint }) => thumbprint)));
  } else console.log(`again ${count} ${Date.now() - lostMs}`);
  lostMs = undefined;
}

async function serve(incoming: Incoming, thumbprint: string): Promise<void> {
  const target = decodeLaptopTarget(incoming.target);
  if (target === undefined) return incoming.refuse("unknown-target", "no");
  const conn = incoming.accept();
  try {
    const buffer = new Uint8Array(16 * 1024);
    let head = "";
    while (!head.includes("\r\n\r\n")) {
      const read = await conn.read(buffer);
      if (read === null) break;
      head += new TextDecoder().decode(buffer.subarray(0, read));
    }
    const body = `${thumbprint} ${target.intercept}`;
    const answer = `HTTP/1.1 200 OK\r\nConnection: close\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`;
    await writeAll(conn, new TextEncoder().encode(answer));
    conn.close();
  } catch {
    conn.reset();
  }
}
