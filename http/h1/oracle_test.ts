import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { TcpConn } from "../../tcp/mod.ts";
import { serve } from "../serve_fake.ts";
import type { RequestHead } from "../request_head.ts";
import { anyRequest } from "./message_fake.ts";

interface Seen {
  method: string;
  target: string;
  headers: [string, string][];
  body: string;
}

Deno.test("node:http reads out of a connection what was routed: the same requests, heads and bodies", async () => {
  let seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const raw = request.rawHeaders;
      seen.push({
        method: request.method!,
        target: request.url!,
        headers: raw.flatMap((name, at) =>
          at % 2 === 0 ? [[name, raw[at + 1]!] as [string, string]] : []
        ),
        body: Buffer.concat(chunks).toString("latin1"),
      });
      response.end("ok");
    });
  });
  await new Promise<void>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve())
  );
  const { port } = server.address() as AddressInfo;
  const open = async () =>
    new TcpConn(await Deno.connect({ hostname: "127.0.0.1", port }));
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyRequest, { minLength: 1, maxLength: 4 }),
        async (requests) => {
          seen = [];
          const heads: RequestHead[] = [];
          const app = { open };
          const served = serve({
            route(head) {
              heads.push(head);
              return app;
            },
          });
          const { client } = served;
          await client.send(requests.map(({ octets }) => octets).join(""));
          for (const _ of requests) await client.until("\r\n\r\nok");
          client.conn.close();
          await served.over;
          assert.deepEqual(
            seen,
            heads.map(({ method, target, headers }, at) => ({
              method,
              target,
              headers,
              body: requests[at]!.body,
            })),
          );
        },
      ),
      { numRuns: 60 },
    );
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
