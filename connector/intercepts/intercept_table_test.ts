import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { encodeLaptopTarget, type PodPort } from "../../manager/api.ts";
import { Ip, RefusedError, writeAll } from "../../net/mod.ts";
import { openPair } from "../../tunnel/session_fake.ts";
import { InterceptTable, isListening } from "./intercept_table.ts";
import { laptopAddress } from "./laptop_address.ts";

const address = laptopAddress("127.0.0.1");
const target = (port: PodPort, intercept = "uid-1") =>
  encodeLaptopTarget({ intercept, port });
const tcp = (port: number): PodPort => ({ port, protocol: "TCP" });

function listen() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return { listener, laptop: (listener.addr as Deno.NetAddr).port };
}

/** An intercept of the pod's port 8080 at a port of this laptop, and a session by which it is asked. */
async function openPlace() {
  const { listener, laptop } = listen();
  const table = new InterceptTable();
  const ports = [{ pod: tcp(8080), laptop }];
  table.set("uid-1", { name: "web", address, ports });
  const pair = await openPair({ serveDialer: table.serve });
  return {
    ...{ listener, laptop, table, acceptor: pair.acceptor },
    async [Symbol.asyncDispose]() {
      await pair[Symbol.asyncDispose]();
      listener.close();
    },
  };
}

Deno.test("InterceptTable joins a stream with the laptop's port, half-close included", async () => {
  await using place = await openPlace();
  const { listener, acceptor } = place;
  const opening = acceptor.open(target(tcp(8080)));
  const app = await listener.accept();
  const stream = await opening;
  await writeAll(stream, new TextEncoder().encode("question"));
  await stream.closeWrite();
  const asked = await new Response(app.readable, {}).text();
  assert.equal(asked, "question");
  stream.close();
});

Deno.test("InterceptTable answers after the other side has ended its direction", async () => {
  await using place = await openPlace();
  const { listener, acceptor } = place;
  const opening = acceptor.open(target(tcp(8080)));
  using app = await listener.accept();
  const stream = await opening;
  await stream.closeWrite();
  const into = new Uint8Array(16);
  assert.equal(await app.read(into), null);
  await app.write(new Uint8Array([1, 2, 3]));
  await app.closeWrite();
  assert.equal(await stream.read(into), 3);
  assert.equal(await stream.read(into), null);
  stream.close();
});

Deno.test("InterceptTable refuses what it does not know, and dials nothing", async () => {
  await using place = await openPlace();
  const { laptop, table, acceptor } = place;
  const unknown = [
    target(tcp(8080), "uid-2"),
    // The laptop's own port is no port of the pod.
    target(tcp(laptop)),
    target({ port: 8080, protocol: "UDP" }),
    new TextEncoder().encode("{}"),
    new Uint8Array([1, 127, 0, 0, 1, 0, 22]),
  ];
  for (const one of unknown) {
    await assert.rejects(acceptor.open(one), {
      name: "RefusedError",
      refusal: "unknown-target",
    });
  }
  await table.delete("uid-1");
  await assert.rejects(acceptor.open(target(tcp(8080))), {
    refusal: "unknown-target",
  });
});

Deno.test("InterceptTable.delete() ends what is quiet by telling the server, and breaks off what stays", async () => {
  await using place = await openPlace();
  const { listener, table, acceptor } = place;
  const into = new Uint8Array(16);
  const opening = [1, 2].map(() => acceptor.open(target(tcp(8080))));
  const [polite, deaf] = [await listener.accept(), await listener.accept()];
  const [first, second] = await Promise.all(opening);
  const deleted = table.delete("uid-1");
  assert.equal(await polite.read(into), null);
  polite.close();
  const ends = [first, second].map((stream) =>
    stream!.read(into).then((read) => read, () => "broken off")
  );
  assert.deepEqual((await Promise.all(ends)).toSorted(), ["broken off", null]);
  await first!.closeWrite().catch(() => {});
  await second!.closeWrite().catch(() => {});
  await deleted;
  deaf.close();
});

Deno.test("InterceptTable refuses as the laptop does when nothing listens", async () => {
  const { listener, laptop } = listen();
  listener.close();
  const table = new InterceptTable();
  const ports = [{ pod: tcp(8080), laptop }];
  table.set("uid-1", { name: "web", address, ports });
  await using pair = await openPair({ serveDialer: table.serve });
  await assert.rejects(
    pair.acceptor.open(target(tcp(8080))),
    (error: RefusedError) => error.refusal === "refused",
  );
});

Deno.test("InterceptTable goes on to the next address where the first refuses", async () => {
  const { listener, laptop } = listen();
  using _ = listener;
  const table = new InterceptTable();
  const ips = ["127.0.0.2", "127.0.0.1"].map((text) => Ip.parse(text));
  const address = laptopAddress("web.lan", {
    lookUp: () => Promise.resolve(ips),
  });
  const ports = [{ pod: tcp(8080), laptop }];
  table.set("uid-1", { name: "web", address, ports });
  await using pair = await openPair({ serveDialer: table.serve });
  const opening = pair.acceptor.open(target(tcp(8080)));
  (await listener.accept()).close();
  (await opening).close();
});

Deno.test("InterceptTable.delete() calls off what is being dialled", async () => {
  const { listener, laptop } = listen();
  using _ = listener;
  const ports = [{ pod: tcp(8080), laptop }, {
    ...{ pod: { port: 53, protocol: "UDP" } as const, laptop },
  }];
  const table = new InterceptTable();
  const asked = [1, 2].map(() => Promise.withResolvers<void>());
  const found = Promise.withResolvers<Ip[]>();
  let count = 0;
  const address = laptopAddress("web.lan", {
    lookUp: () => {
      asked[count++]!.resolve();
      return found.promise;
    },
  });
  table.set("uid-1", { name: "web", address, ports });
  await using pair = await openPair({ serveDialer: table.serve });
  const { acceptor } = pair;
  const [udp] = ports.slice(1);
  const refused = [
    acceptor.open(target(tcp(8080))),
    acceptor.openDatagrams(target(udp!.pod)),
  ].map((opening) => assert.rejects(opening, { refusal: "unknown-target" }));
  await Promise.all(asked.map(({ promise }) => promise));
  await table.delete("uid-1");
  await Promise.all(refused);
  found.resolve([Ip.parse("127.0.0.1")]);
});

Deno.test("InterceptTable looks a name up for each connection", async () => {
  const { listener, laptop } = listen();
  using _ = listener;
  const answers = [[Ip.parse("127.0.0.1")], [], [Ip.parse("127.0.0.1")]];
  const address = laptopAddress("web.lan", {
    lookUp: () => Promise.resolve(answers.shift()!),
  });
  const table = new InterceptTable();
  const ports = [{ pod: tcp(8080), laptop }];
  table.set("uid-1", { name: "web", address, ports });
  await using pair = await openPair({ serveDialer: table.serve });
  for (const isThere of [true, false, true]) {
    const opening = pair.acceptor.open(target(tcp(8080)));
    if (isThere) {
      (await listener.accept()).close();
      (await opening).close();
    } else await assert.rejects(opening, { refusal: "unreachable" });
  }
});

Deno.test("InterceptTable carries datagrams both ways", async () => {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const table = new InterceptTable();
  const pod: PodPort = { port: 53, protocol: "UDP" };
  table.set("uid-1", {
    name: "dns",
    address,
    ports: [{ pod, laptop: socket.address().port }],
  });
  socket.on("message", (message, { port, address }) => {
    socket.send(new Uint8Array([...message, 9]), port, address);
  });
  await using pair = await openPair({ serveDialer: table.serve });
  const flow = await pair.acceptor.openDatagrams(target(pod));
  flow.send(new Uint8Array([7]));
  const into = new Uint8Array(16);
  assert.equal(await flow.receive(into), 2);
  assert.deepEqual([...into.subarray(0, 2)], [7, 9]);
  flow.close();
  await table.delete("uid-1");
  await new Promise<void>((resolve) => socket.close(() => resolve()));
});

Deno.test("InterceptTable carries datagrams to a server that has the port of ::1 alone", async () => {
  const socket = createSocket("udp6");
  await new Promise<void>((resolve) => socket.bind(0, "::1", resolve));
  socket.on(
    "message",
    (message, { port }) => socket.send(message, port, "::1"),
  );
  const table = new InterceptTable();
  const pod: PodPort = { port: 53, protocol: "UDP" };
  const ports = [{ pod, laptop: socket.address().port }];
  table.set("uid-1", { name: "dns", address, ports });
  await using pair = await openPair({ serveDialer: table.serve });
  const flow = await pair.acceptor.openDatagrams(target(pod));
  flow.send(Uint8Array.of(7));
  const into = new Uint8Array(16);
  assert.deepEqual([await flow.receive(into), into[0]], [1, 7]);
  flow.close();
  await table.delete("uid-1");
  await new Promise<void>((resolve) => socket.close(() => resolve()));
});

Deno.test("InterceptTable ends a flow to a UDP port that nobody has, but a copy goes on until somebody has it", async () => {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const { port: laptop } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  const table = new InterceptTable();
  const pod: PodPort = { port: 53, protocol: "UDP" };
  const entry = { name: "dns", address, ports: [{ pod, laptop }] };
  table.set("uid-1", entry);
  table.set("uid-2", { ...entry, isCopy: true });
  await using pair = await openPair({ serveDialer: table.serve });
  const [flow, copy] = await Promise.all(
    ["uid-1", "uid-2"].map((uid) =>
      pair.acceptor.openDatagrams(target(pod, uid))
    ),
  );
  for (const one of [copy!, flow!]) one.send(new Uint8Array([7]));
  await assert.rejects(flow!.receive(new Uint8Array(1)), {
    refusal: "refused",
  });
  const later = createSocket("udp4");
  const heard = once(later, "message");
  await new Promise<void>((resolve) =>
    later.bind(laptop, "127.0.0.1", resolve)
  );
  assert.ok(copy!.send(new Uint8Array([8])));
  assert.deepEqual([...(await heard)[0]], [8]);
  copy!.close();
  await Promise.all(["uid-1", "uid-2"].map((uid) => table.delete(uid)));
  await new Promise<void>((resolve) => later.close(() => resolve()));
});

Deno.test("isListening() knows an open port from a closed one", async () => {
  const { listener, laptop } = listen();
  assert.equal(await isListening(address, laptop), true);
  listener.close();
  assert.equal(await isListening(address, laptop), false);
});
