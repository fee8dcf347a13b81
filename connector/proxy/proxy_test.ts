import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { Buffer } from "node:buffer";
import { Ip, RefusedError, systemClock, writeAll } from "../../net/mod.ts";
import { dialTcp, UdpDatagrams } from "../../tcp/mod.ts";
import { openProxy, type Proxy } from "./proxy.ts";

const loopback = Ip.parse("127.0.0.1");

/** A server of this host's that any name but `nobody` leads to; it sends back what it gets, in upper case. */
async function world() {
  const server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const conn of server) void echo(conn);
  })();
  const udp = createSocket("udp4");
  udp.bind(0, "127.0.0.1");
  await once(udp, "listening");
  udp.on("message", (message, { port }) => {
    udp.send(message.toString().toUpperCase(), port, "127.0.0.1");
  });
  const dialled: string[] = [];
  const released: Promise<void>[] = [];
  const proxy = openProxy({
    addresses: (name) => Promise.resolve(name === "nobody" ? [] : [loopback]),
    dialName: async (name, port, { signal }) => {
      dialled.push(`${name}:${port}`);
      if (name === "nobody") {
        throw new RefusedError("unreachable", `Cannot reach "${name}"`);
      }
      const to = { ip: loopback, port: server.addr.port };
      return await dialTcp(to, { signal, clock: systemClock });
    },
    dialDatagrams: (ip) => {
      const to = { ip, port: udp.address().port };
      const options = { clock: systemClock, idleMs: 10_000 };
      const flow = new UdpDatagrams(to, options);
      released.push(flow.released);
      return Promise.resolve(flow);
    },
  });
  return {
    proxy,
    dialled,
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      server.close();
      udp.close();
      await once(udp, "close");
      await serving;
      await Promise.all(released);
    },
  };
}

async function echo(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(4096);
  try {
    for (;;) {
      const read = await conn.read(buffer);
      if (read === null) break;
      const text = new TextDecoder().decode(buffer.subarray(0, read));
      await writeAll(conn, new TextEncoder().encode(text.toUpperCase()));
    }
    await conn.closeWrite();
  } catch {
    // The client broke off.
  }
  conn.close();
}

/** Sends, ends, and gives all that came back. */
async function ask(
  { authority }: Proxy,
  ...parts: (string | number[])[]
): Promise<Buffer> {
  const port = Number(authority.split(":").at(-1));
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const bytes = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  await writeAll(conn, bytes);
  await conn.closeWrite();
  const got = await new Response(conn.readable).bytes();
  return Buffer.from(got);
}

const basic = (authority: string) =>
  `Proxy-Authorization: Basic ${btoa(authority.split("@")[0]!)}\r\n`;

Deno.test("Proxy joins who CONNECTs with where it wants to go", async () => {
  await using place = await world();
  const { proxy, dialled } = place;
  const head = "CONNECT web.default:80 HTTP/1.1\r\n" + basic(proxy.authority);
  const answer = await ask(proxy, head, "\r\nhello");
  assert.equal(
    answer.toString(),
    "HTTP/1.1 200 Connection established\r\n\r\nHELLO",
  );
  assert.deepEqual(dialled, ["web.default:80"]);
});

Deno.test("Proxy sends a request for a URL on to its host, body and all", async () => {
  await using place = await world();
  const { proxy, dialled } = place;
  const head = "POST http://web:81/x HTTP/1.1\r\nContent-Length: 4\r\n" +
    basic(proxy.authority);
  const answer = await ask(proxy, head, "\r\nbody");
  assert.equal(
    answer.toString(),
    "POST /X HTTP/1.1\r\nHOST: WEB:81\r\nCONTENT-LENGTH: 4\r\nCONNECTION: CLOSE\r\n\r\nBODY",
  );
  assert.deepEqual(dialled, ["web:81"]);
});

const refused: [
  what: string,
  status: number,
  request: (authority: string) => string,
][] = [
  ["no password", 407, () => "CONNECT web:80 HTTP/1.1\r\n"],
  [
    "a wrong password",
    407,
    () => `CONNECT web:80 HTTP/1.1\r\n${basic("tp:wrong@")}`,
  ],
  [
    "no such name",
    502,
    (authority) => `GET http://nobody/ HTTP/1.1\r\n${basic(authority)}`,
  ],
  [
    "no request to a proxy",
    400,
    (authority) => `GET / HTTP/1.1\r\n${basic(authority)}`,
  ],
  ["a head without end", 431, () => `GET / HTTP/1.1\r\n${"x".repeat(70_000)}`],
];

for (const [what, status, request] of refused) {
  Deno.test(`Proxy answers ${what} with ${status}`, async () => {
    await using place = await world();
    const { proxy } = place;
    const answer = await ask(proxy, request(proxy.authority) + "\r\n");
    assert.match(answer.toString(), new RegExp(`^HTTP/1.1 ${status} `));
  });
}

/** The greeting with user and password, then a request. */
function socks(authority: string, command: number, name: string): number[] {
  const [user, password] = authority.split("@")[0]!.split(":")
    .map((text) => [text.length, ...Buffer.from(text)]);
  const address = [3, name.length, ...Buffer.from(name), 0, 80];
  return [5, 2, 0, 2, 1, ...user!, ...password!, 5, command, 0, ...address];
}

const socksTable: [
  what: string,
  command: number,
  name: string,
  reply: number,
][] = [
  ["joins who CONNECTs with a name", 1, "web.default", 0],
  ["tells that a name is not there", 1, "nobody", 4],
  ["refuses to BIND", 2, "web", 7],
];

for (const [what, command, name, reply] of socksTable) {
  Deno.test(`Proxy by SOCKS 5 ${what}`, async () => {
    await using place = await world();
    const { proxy } = place;
    const request = socks(proxy.authority, command, name);
    const answer = await ask(proxy, request, reply === 0 ? "hello" : "");
    const greeting = [5, 2, 1, 0];
    const replied = [5, reply, 0, 1, 0, 0, 0, 0, 0, 0];
    const echoed = reply === 0 ? Buffer.from("HELLO") : [];
    assert.deepEqual([...answer], [...greeting, ...replied, ...echoed]);
  });
}

Deno.test("Proxy by SOCKS 5 takes nobody without the password", async () => {
  await using place = await world();
  const { proxy, dialled } = place;
  assert.deepEqual([...await ask(proxy, [5, 1, 0])], [5, 0xff]);
  const wrong = await ask(proxy, socks("tp:wrong@", 1, "web"));
  assert.deepEqual([...wrong], [5, 2, 1, 1]);
  assert.deepEqual(dialled, []);
});

Deno.test("Proxy by SOCKS 5 carries datagrams for as long as the connection lasts", async () => {
  await using place = await world();
  const { proxy } = place;
  const port = Number(proxy.authority.split(":").at(-1));
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await writeAll(conn, new Uint8Array(socks(proxy.authority, 3, "x")));
  const answer = new Uint8Array(64);
  let length = 0;
  while (length < 14) length += (await conn.read(answer.subarray(length)))!;
  assert.deepEqual([...answer.subarray(4, 12)], [5, 0, 0, 1, 127, 0, 0, 1]);
  const relay = answer[12]! << 8 | answer[13]!;
  const client = createSocket("udp4");
  const name = [3, 3, ...Buffer.from("dns"), 0, 53];
  client.send(
    Buffer.from([0, 0, 0, ...name, ...Buffer.from("ping")]),
    relay,
    "127.0.0.1",
  );
  const [message] = await once(client, "message");
  const head = [0, 0, 0, 1, 127, 0, 0, 1, 0, 53];
  assert.deepEqual([...message], [...head, ...Buffer.from("PING")]);
  client.close();
  conn.close();
});
