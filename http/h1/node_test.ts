import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
} from "node:http";
import type { AddressInfo } from "node:net";
import { TcpConn } from "../../tcp/mod.ts";
import { serveHttp } from "../serve.ts";

interface App {
  readonly server: Server;
  readonly open: () => Promise<TcpConn>;
}

/** Answers with its name, and sends back what it was sent. */
async function startApp(name: string): Promise<App> {
  const server = createServer((incoming, response) => {
    response.setHeader("x-server", name);
    if (incoming.url === "/close") response.setHeader("connection", "close");
    incoming.pipe(response);
  });
  server.on("upgrade", (_, socket) => {
    socket.on("error", () => {});
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n",
    );
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve())
  );
  const { port } = server.address() as AddressInfo;
  const open = async () =>
    new TcpConn(await Deno.connect({ hostname: "127.0.0.1", port }));
  return { server, open };
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

Deno.test("node:http clients on kept connections reach the server that each request is for, with bodies of all sizes", async () => {
  const [app, laptop] = [await startApp("app"), await startApp("laptop")];
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const stop = new AbortController();
  const served: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const conn of listener) {
      served.push(serveHttp(new TcpConn(conn), {
        route: ({ headers }) =>
          headers.some(([name]) => name === "x-laptop") ? laptop : app,
        otherwise: app,
        signal: stop.signal,
      }));
    }
  })();
  const { port } = listener.addr;
  const agent = new Agent({ keepAlive: true, maxSockets: 3 });

  const ask = (at: number) =>
    new Promise<void>((resolve, reject) => {
      const toLaptop = at % 3 === 0;
      const body = String(at).repeat(at % 10 === 0 ? 500_000 : at);
      const asked = request({
        port,
        host: "127.0.0.1",
        agent,
        method: "POST",
        path: at % 17 === 0 ? "/close" : "/",
        headers: {
          ...(toLaptop ? { "x-laptop": "1" } : {}),
          ...(at % 2 === 0 ? { "content-length": body.length } : {}),
          ...(at % 5 === 0 ? { expect: "100-continue" } : {}),
        },
      }, async (response) => {
        const name = response.headers["x-server"];
        assert.equal(name, toLaptop ? "laptop" : "app");
        assert.ok(await bodyOf(response) === body, `body ${at}`);
        resolve();
      });
      asked.on("error", reject);
      asked.end(body);
    });
  await Promise.all(Array.from({ length: 120 }, (_, at) => ask(at)));
  assert.ok(served.length < 40, `${served.length} connections`);

  const echoed = await new Promise<string>((resolve, reject) => {
    const asked = request({
      port,
      host: "127.0.0.1",
      headers: { connection: "upgrade", upgrade: "echo", "x-laptop": "1" },
    });
    asked.on("upgrade", (_, socket) => {
      socket.on("data", (data: Buffer) => {
        socket.destroy();
        resolve(String(data));
      });
      socket.write("GET / HTTP/1.1\r\n\r\n");
    });
    asked.on("error", reject);
    asked.end();
  });
  assert.equal(echoed, "GET / HTTP/1.1\r\n\r\n");

  agent.destroy();
  listener.close();
  await accepting;
  stop.abort();
  await Promise.all(served);
  for (const { server } of [app, laptop]) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
