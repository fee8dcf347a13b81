import assert from "node:assert/strict";
import { Ip, systemClock } from "../net/mod.ts";
import { readAll, textOf } from "../tunnel/session_fake.ts";
import { App, type Family } from "./app.ts";

const { signal } = new AbortController();

/** Says where it was found. */
function listen(hostname: string, port = 0) {
  const listener = Deno.listen({ hostname, port });
  const accepting = (async () => {
    for await (const conn of listener) {
      await conn.write(new TextEncoder().encode(hostname));
      conn.close();
    }
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
    },
  };
}

function appAt(port: number, ...ownAddresses: string[]) {
  const app = new App({
    ...{ port, clock: systemClock },
    ownAddresses: ownAddresses.map((text) => Ip.parse(text)),
  });
  return async (family: Family) => {
    const conn = await app.open(family, { signal });
    const where = textOf(await readAll(conn));
    conn.close();
    return where;
  };
}

Deno.test("App is asked at the pod's address of the client's family, where it is", async () => {
  await using v4 = listen("127.0.0.2");
  await using _v6 = listen("::1", v4.port);
  const open = appAt(v4.port, "127.0.0.2", "::1");
  assert.equal(await open(4), "127.0.0.2");
  assert.equal(await open(6), "::1");
});

Deno.test("App is found at another address, and looked for there first", async () => {
  const { port, ...one } = listen("127.0.0.2");
  const open = appAt(port, "127.0.0.9", "127.0.0.2");
  assert.equal(await open(4), "127.0.0.2");
  assert.equal(await open(6), "127.0.0.2");
  {
    await using _better = listen("127.0.0.9", port);
    assert.equal(await open(4), "127.0.0.2");
  }
  await one[Symbol.asyncDispose]();
  await using _loopback = listen("127.0.0.1", port);
  assert.equal(await open(4), "127.0.0.1");
  assert.equal(await open(6), "127.0.0.1");
});

Deno.test("App that listens nowhere refuses", async () => {
  const { port, ...one } = listen("127.0.0.2");
  await one[Symbol.asyncDispose]();
  await assert.rejects(appAt(port, "127.0.0.2")(6), {
    ...{ name: "RefusedError", refusal: "refused" },
  });
});
