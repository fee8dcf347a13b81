import assert from "node:assert/strict";
import { pem } from "./_api_server_fake.ts";
import { setNoDelay } from "./_no_delay_linux.ts";

/** How many of this process's sockets have TCP_NODELAY set. */
function countNoDelay(): number {
  using libc = disposable(Deno.dlopen("libc.so.6", {
    getsockopt: {
      parameters: ["i32", "i32", "i32", "buffer", "buffer"],
      result: "i32",
    },
  }));
  let count = 0;
  for (let fd = 0; fd < 256; fd++) {
    const value = new Uint32Array(1);
    const length = new Uint32Array([4]);
    const failed = libc.symbols.getsockopt(fd, 6, 1, value, length) !== 0;
    if (!failed && value[0] !== 0) count++;
  }
  return count;
}

function disposable<T extends { close(): void }>(library: T): T & Disposable {
  return Object.assign(library, { [Symbol.dispose]: () => library.close() });
}

Deno.test({
  name: "setNoDelay() sets TCP_NODELAY on the one connection",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using listener = Deno.listenTls({
      hostname: "127.0.0.1",
      port: 0,
      cert: pem("server.pem"),
      key: pem("server.key"),
    });
    const accepted = listener.accept();
    using conn = await Deno.connectTls({
      hostname: "127.0.0.1",
      port: (listener.addr as Deno.NetAddr).port,
      caCerts: [pem("ca.pem")],
    });
    using _peer = await accepted;
    const before = countNoDelay();
    assert.equal(setNoDelay(conn.localAddr), true);
    assert.equal(countNoDelay(), before + 1);
  },
});

Deno.test("setNoDelay() says so when there is no such connection", () => {
  const nowhere = { hostname: "192.0.2.1", port: 1 };
  assert.equal(setNoDelay(nowhere), false);
});
