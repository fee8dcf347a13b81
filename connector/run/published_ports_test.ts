import assert from "node:assert/strict";
import { type Conn, connPair, RefusedError, writeAll } from "../../net/mod.ts";
import { ConnectError } from "../failure.ts";
import { PublishedPorts } from "./published_ports.ts";

const hostname = "127.0.0.1";

function freePort(): number {
  using listener = Deno.listen({ hostname, port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

/** Says what comes, once, and then ends. */
async function echo(conn: Conn): Promise<void> {
  const buffer = new Uint8Array(64);
  const read = await conn.read(buffer);
  await writeAll(conn, buffer.subarray(0, read ?? 0));
  await conn.closeWrite();
}

Deno.test("PublishedPorts joins what connects with the port inside, also what has come before", async () => {
  const laptop = freePort();
  using ports = new PublishedPorts([{ laptop, inside: 80 }]);
  using conn = await Deno.connect({ hostname, port: laptop });
  await conn.write(new TextEncoder().encode("hello"));
  const opened: number[] = [];
  ports.serve((port) => {
    opened.push(port);
    const [near, far] = connPair();
    void echo(far);
    return Promise.resolve(near);
  });
  assert.equal(await new Response(conn.readable).text(), "hello");
  assert.deepEqual(opened, [80]);
});

Deno.test("PublishedPorts resets what finds nobody inside, and gives the ports back", async () => {
  const laptop = freePort();
  const ports = new PublishedPorts([{ laptop, inside: 80 }]);
  ports.serve(() => Promise.reject(new RefusedError("refused", "nobody")));
  {
    using conn = await Deno.connect({ hostname, port: laptop });
    await assert.rejects(
      conn.read(new Uint8Array(1)),
      Deno.errors.ConnectionReset,
    );
  }
  ports[Symbol.dispose]();
  await assert.rejects(Deno.connect({ hostname, port: laptop }));
  new PublishedPorts([{ laptop, inside: 80 }])[Symbol.dispose]();
});

Deno.test("PublishedPorts tells of a port that another has, and takes none then", () => {
  const first = freePort();
  using taken = Deno.listen({ hostname, port: 0 });
  const laptop = (taken.addr as Deno.NetAddr).port;
  assert.throws(
    () =>
      new PublishedPorts([
        ...[{ laptop: first, inside: 80 }, { laptop, inside: 81 }],
      ]),
    (error) => {
      assert.ok(error instanceof ConnectError);
      assert.equal(error.failure.kind, "publish-port-in-use");
      assert.match(error.message, /127\.0\.0\.1:\d+ is already in use/);
      return true;
    },
  );
  Deno.listen({ hostname, port: first }).close();
});
