import assert from "node:assert/strict";
import { systemClock, writeAll } from "../net/mod.ts";
import { Probes } from "./probes.ts";

async function ask(request: string, { isReady = true } = {}): Promise<string> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  await using _probes = new Probes({
    listener,
    isReady: () => isReady,
    clock: systemClock,
  });
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await writeAll(conn, new TextEncoder().encode(request));
  await conn.closeWrite();
  let text = "";
  for await (const chunk of chunks(conn)) text += chunk;
  return text.split("\r\n", 1)[0]!;
}

async function* chunks(conn: Deno.TcpConn): AsyncGenerator<string> {
  const buffer = new Uint8Array(1000);
  for (;;) {
    const read = await conn.read(buffer);
    if (read === null) return;
    yield new TextDecoder().decode(buffer.subarray(0, read));
  }
}

Deno.test("Probes tell that the manager lives, and whether it is ready", async () => {
  const livez = "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
  const readyz = "GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n";
  assert.equal(await ask(livez, { isReady: false }), "HTTP/1.1 200 OK");
  assert.equal(await ask(readyz), "HTTP/1.1 200 OK");
  assert.equal(
    await ask(readyz, { isReady: false }),
    "HTTP/1.1 503 Service Unavailable",
  );
});

Deno.test("Probes tell nothing else", async () => {
  const table: [request: string, status: string][] = [
    ["GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 404 Not Found"],
    ["GET /livez/../x HTTP/1.1\r\n\r\n", "HTTP/1.1 404 Not Found"],
    ["POST /livez HTTP/1.1\r\n\r\n", "HTTP/1.1 405 Method Not Allowed"],
    ["x".repeat(256), "HTTP/1.1 405 Method Not Allowed"],
    ["", "HTTP/1.1 405 Method Not Allowed"],
  ];
  for (const [request, status] of table) {
    assert.equal(await ask(request), status);
  }
});
