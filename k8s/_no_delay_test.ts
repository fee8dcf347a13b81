import assert from "node:assert/strict";
import { pem } from "./_api_server_fake.ts";
import { decodeSocketAddress, setNoDelay, socketForms } from "./_no_delay.ts";

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

Deno.test("decodeSocketAddress() reads the forms of Linux and macOS", () => {
  const port = [0x19, 0x2b]; // 6443
  const v4 = [192, 0, 2, 1];
  const v6 = [0x20, 0x01, 0x0d, 0xb8, ...new Array(11).fill(0), 7];
  const [flow, scope] = [[0, 0, 0, 0], [0, 0, 0, 0]];
  const rest = new Array(20).fill(0);
  const table: [os: string, octets: number[], text: string | undefined][] = [
    ["linux", [2, 0, ...port, ...v4, ...rest], "192.0.2.1 6443"],
    ["darwin", [16, 2, ...port, ...v4, ...rest], "192.0.2.1 6443"],
    [
      "linux",
      [10, 0, ...port, ...flow, ...v6, ...scope],
      "2001:db8::7 6443",
    ],
    [
      "darwin",
      [28, 30, ...port, ...flow, ...v6, ...scope],
      "2001:db8::7 6443",
    ],
    ["linux", [1, 0, ...port, ...v4, ...rest], undefined], // AF_UNIX
    ["darwin", [106, 1, ...port, ...v4, ...rest], undefined],
  ];
  for (const [os, octets, text] of table) {
    const form = socketForms[os]!;
    const found = decodeSocketAddress(Uint8Array.from(octets), form);
    assert.equal(found && `${found.ip} ${found.port}`, text, os);
  }
});
