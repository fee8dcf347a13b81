import assert from "node:assert/strict";
import { DarwinSockets } from "./_sockets_darwin.ts";

/** What `use` calls of a C library in which all goes well, in order; a socket that is opened or accepted is the 7th. */
function calledBy(use: (sockets: DarwinSockets) => void): string[] {
  const called: string[] = [];
  const answers = new Map([["socket", 7], ["accept", 7], ["look", 1]]);
  const { dlopen } = Deno;
  const errno = new Int32Array(1);
  const symbols = new Proxy({}, {
    get: (_, name) => () => {
      if (name === "errnoLocation") return Deno.UnsafePointer.of(errno);
      called.push(String(name).replace("fcntlOnStack", "fcntl"));
      return answers.get(String(name)) ?? 0;
    },
  });
  Object.assign(Deno, { dlopen: () => ({ symbols, close() {} }) });
  try {
    using sockets = new DarwinSockets();
    use(sockets);
  } finally {
    Object.assign(Deno, { dlopen });
  }
  return called;
}

Deno.test("DarwinSockets keep a socket from children before anything else is done with it", () => {
  const table: [use: (sockets: DarwinSockets) => void, calls: string[]][] = [
    [
      (sockets) => sockets.connect("/run/a.sock"),
      ["socket", "fcntl", "connect", "setsockopt"],
    ],
    [
      (sockets) => sockets.bind("/run/a.sock"),
      ["socket", "fcntl", "bind", "listen"],
    ],
    [
      (sockets) => sockets.adopt(7).accept(),
      ["fcntl", "look", "accept", "fcntl", "setsockopt"],
    ],
  ];
  for (const [use, calls] of table) assert.deepEqual(calledBy(use), calls);
});
