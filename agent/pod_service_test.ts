import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { logger, setLogLevel, setLogSink } from "../log.ts";
import { encodePodTarget, type PodTarget, type Rule } from "../manager/api.ts";
import { type Conn, Ip, systemClock, writeAll } from "../net/mod.ts";
import { bytesOf, openPair, readAll, textOf } from "../tunnel/session_fake.ts";
import { loopback, openApp } from "./agent_fake.ts";
import { PodService } from "./pod_service.ts";
import { UnixConn } from "../tcp/mod.ts";

const mounts = [{ path: "/data", readOnly: true }];
/** By the intercept's UID. */
const rules = new Map<string, Partial<Rule>>([
  ["loopback", { mode: "proxy-via", subnets: ["127.0.0.1/32"] }],
  ["wide", { mode: "proxy-via", subnets: ["0.0.0.0/0"] }],
  ["other", { mode: "ingest", subnets: ["127.0.0.1/32"] }],
]);

async function open() {
  const directory = await Deno.makeTempDir();
  await Deno.mkdir(`${directory}/app`);
  const service = new PodService({
    containers: [{ name: "app", mounts }, { name: "late", mounts: [] }],
    directory,
    findRule: (intercept) => rules.get(intercept) as Rule | undefined,
    clock: systemClock,
  });
  const pair = await openPair({
    serveDialer: (incoming) => service.serve(incoming),
  });
  return {
    directory,
    ask: (target: PodTarget) => pair.acceptor.open(encodePodTarget(target)),
    askDatagrams: (target: PodTarget) =>
      pair.acceptor.openDatagrams(encodePodTarget(target)),
    async [Symbol.asyncDispose]() {
      await pair[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

/** Serves one connection of a Unix socket. */
function serveOnce(path: string, serve: (conn: Conn) => Promise<void>) {
  const listener = Deno.listen({ transport: "unix", path });
  return (async () => {
    const conn = await listener.accept();
    listener.close();
    await serve(new UnixConn(conn as Deno.UnixConn));
  })();
}

Deno.test("PodService tells the environment that the container's socket writes, with its volumes", async () => {
  await using place = await open();
  const served = serveOnce(
    `${place.directory}/app/environment.sock`,
    async (conn) => {
      await writeAll(conn, bytesOf("A=1\0SOCAT_PID=7\0B=two\n\0"));
      conn.close();
    },
  );
  const stream = await place.ask({ kind: "environment", container: "app" });
  assert.deepEqual(JSON.parse(textOf(await readAll(stream))), {
    ...{ environment: { A: "1", B: "two\n" }, mounts },
  });
  stream.close();
  await served;
});

Deno.test("PodService joins a stream with the container's files, both ways and to the end", async () => {
  await using place = await open();
  const served = serveOnce(
    `${place.directory}/app/files.sock`,
    async (conn) => {
      const asked = textOf(await readAll(conn));
      await writeAll(conn, bytesOf(`files for ${asked}`));
      conn.close();
    },
  );
  const stream = await place.ask({ kind: "files", container: "app" });
  await writeAll(stream, bytesOf("jane"));
  await stream.closeWrite();
  assert.equal(textOf(await readAll(stream)), "files for jane");
  stream.close();
  await served;
});

Deno.test("PodService logs more for a while, and says when it does", async () => {
  await using place = await open();
  const lines: string[] = [];
  setLogSink((line) => lines.push(line));
  try {
    const { debug } = logger("test");
    debug("before");
    const wish = { kind: "log", level: "debug", seconds: 60 } as const;
    const stream = await place.ask(wish);
    debug("afterwards");
    assert.equal(textOf(await readAll(stream)), "");
    stream.close();
    assert.deepEqual(lines.map((line) => JSON.parse(line).message), [
      ...["log level", "afterwards"],
    ]);
  } finally {
    setLogLevel("info");
    // deno-lint-ignore no-console
    setLogSink((line) => console.error(line));
  }
});

Deno.test("PodService connects to loopback", async () => {
  await using place = await open();
  const app = openApp(async (conn) => {
    await writeAll(conn, bytesOf("hello"));
    conn.close();
  });
  const port = { port: app.port, protocol: "TCP" as const };
  const stream = await place.ask({ kind: "loopback", port });
  assert.equal(textOf(await readAll(stream)), "hello");
  stream.close();
  await app.stop();
  await assert.rejects(place.ask({ kind: "loopback", port }), {
    refusal: "refused",
  });
});

Deno.test("PodService carries datagrams to loopback", async () => {
  await using place = await open();
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, loopback, resolve));
  socket.on("message", (message, { port, address }) => {
    socket.send(`${message} yourself`, port, address);
  });
  const { port } = socket.address();
  const flow = await place.askDatagrams({
    ...{ kind: "loopback", port: { port, protocol: "UDP" } },
  });
  flow.send(bytesOf("hi"));
  const buffer = new Uint8Array(20);
  const length = await flow.receive(buffer);
  assert.equal(textOf(buffer.subarray(0, length!)), "hi yourself");
  flow.close();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
});

Deno.test("PodService dials what the subnets of the intercept's rule name, and nothing else", async () => {
  await using place = await open();
  const app = openApp(async (conn) => {
    await writeAll(conn, bytesOf("hello"));
    conn.close();
  });
  const ip = Ip.parse(loopback);
  const port = { port: app.port, protocol: "TCP" as const };
  const target = { kind: "address", ip, port } as const;
  const dialled = { ...target, intercept: "loopback" };
  const stream = await place.ask(dialled);
  assert.equal(textOf(await readAll(stream)), "hello");
  stream.close();
  for (
    const [other, refusal] of [
      [{ ...dialled, ip: Ip.parse("127.0.0.2") }, "forbidden"],
      [{ ...dialled, intercept: "wide" }, "forbidden"],
      [{ ...dialled, intercept: "other" }, "gone"],
      [{ ...dialled, intercept: "none" }, "gone"],
      [target as unknown as PodTarget, "unknown-target"],
    ] as const
  ) {
    await assert.rejects(place.ask(other), { name: "RefusedError", refusal });
  }
  await app.stop();
  await assert.rejects(place.ask(dialled), { refusal: "refused" });
});

Deno.test("PodService carries datagrams to such an address", async () => {
  await using place = await open();
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, loopback, resolve));
  socket.on("message", (message, { port, address }) => {
    socket.send(`${message} yourself`, port, address);
  });
  const { port } = socket.address();
  const ip = Ip.parse(loopback);
  const flow = await place.askDatagrams({
    ...{ kind: "address", ip, intercept: "loopback" },
    port: { port, protocol: "UDP" },
  });
  flow.send(bytesOf("hi"));
  const buffer = new Uint8Array(20);
  const length = await flow.receive(buffer);
  assert.equal(textOf(buffer.subarray(0, length!)), "hi yourself");
  flow.close();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
});

Deno.test("PodService refuses what the pod's configuration does not name, and what is not there", async () => {
  await using place = await open();
  const udp = { port: 53, protocol: "UDP" } as const;
  const cases: [PodTarget, string][] = [
    [{ kind: "files", container: "other" }, "forbidden"],
    [{ kind: "environment", container: "../app" }, "forbidden"],
    [{ kind: "files", container: "late" }, "unreachable"],
    [{ kind: "environment", container: "late" }, "unreachable"],
    [{ kind: "loopback", port: udp }, "unknown-target"], // on a stream of bytes
    [{ kind: "device" } as unknown as PodTarget, "unknown-target"],
  ];
  for (const [target, refusal] of cases) {
    await assert.rejects(place.ask(target), { name: "RefusedError", refusal });
  }
});
