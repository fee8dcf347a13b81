import assert from "node:assert/strict";
import { ConnResetError, writeAll } from "../net/mod.ts";
import { TcpConn } from "./tcp_conn.ts";

/** Two ends of a TCP connection over a loopback address. */
async function tcpPair(hostname = "127.0.0.1"): Promise<[TcpConn, TcpConn]> {
  using listener = Deno.listen({ hostname, port: 0 });
  const { port } = listener.addr;
  const [here, there] = await Promise.all([
    Deno.connect({ hostname, port }),
    listener.accept(),
  ]);
  return [new TcpConn(here), new TcpConn(there)];
}

const some = new Uint8Array([1, 2, 3]);

Deno.test("TcpConn.closeWrite() ends one direction and leaves the other", async () => {
  const [here, there] = await tcpPair();
  await writeAll(here, some);
  await here.closeWrite();
  const into = new Uint8Array(10);
  assert.equal(await there.read(into), 3);
  assert.equal(await there.read(into), null);
  await writeAll(there, some);
  await there.closeWrite();
  assert.equal(await here.read(into), 3);
  assert.equal(await here.read(into), null);
  here.close();
  there.close();
  there.close();
});

for (const hostname of ["127.0.0.1", "::1"]) {
  Deno.test(`TcpConn.reset() breaks the peer off on ${hostname}`, async (test) => {
    let pair: [TcpConn, TcpConn];
    try {
      pair = await tcpPair(hostname);
    } catch {
      await test.step({ name: "no such loopback", ignore: true, fn() {} });
      return;
    }
    const [here, there] = pair;
    const read = here.read(new Uint8Array(1));
    here.reset();
    await assert.rejects(read, ConnResetError);
    await assert.rejects(there.read(new Uint8Array(1)), ConnResetError);
    there.reset();
    there.close();
  });
}

Deno.test("TcpConn.reset() breaks off the right one of many", async () => {
  const pairs = await Promise.all(Array.from({ length: 20 }, () => tcpPair()));
  const odd = pairs.filter((_, i) => i % 2 === 1);
  const even = pairs.filter((_, i) => i % 2 === 0);
  for (const [here] of odd) here.reset();
  for (const [, there] of odd) {
    await assert.rejects(there.read(new Uint8Array(1)), ConnResetError);
    there.close();
  }
  for (const [here, there] of even) {
    await writeAll(here, some);
    assert.equal(await there.read(new Uint8Array(10)), 3);
    here.close();
    there.close();
  }
});
