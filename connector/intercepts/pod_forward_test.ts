import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import type { PodWish } from "../../manager/api.ts";
import type { Manager } from "../../manager/client.ts";
import { openManager } from "../../manager/client.ts";
import type { Datagrams } from "../../net/mod.ts";
import type { Incoming } from "../../tunnel/mod.ts";
import { openPair } from "../../tunnel/session_fake.ts";
import { decodeTarget } from "../../manager/api.ts";
import { openPodForward } from "./pod_forward.ts";

/** A link to a pod that answers all that it is sent. */
async function echoPod() {
  const asked: PodWish[] = [];
  const pair = await openPair({
    serve: (incoming) => {
      const target = decodeTarget(incoming.target);
      if (target?.kind !== "pod") return incoming.refuse("failed", "a test");
      asked.push(target.wanted);
      void (incoming.datagrams ? echoDatagrams(incoming) : echo(incoming));
    },
  });
  const manager = openManager(pair.dialer);
  const link = { use: <T>(open: (m: Manager) => Promise<T>) => open(manager) };
  return { asked, link, pair };
}

async function echo(incoming: Incoming): Promise<void> {
  const stream = incoming.accept();
  const buffer = new Uint8Array(64);
  for (;;) {
    const read = await stream.read(buffer).catch(() => null);
    if (read === null) break;
    await stream.write(buffer.subarray(0, read));
  }
  await stream.closeWrite().catch(() => {});
  stream.close();
}

async function echoDatagrams(incoming: Incoming): Promise<void> {
  const flow = incoming.acceptDatagrams();
  const buffer = new Uint8Array(64);
  for (;;) {
    const length = await flow.receive(buffer);
    if (length === null) return;
    flow.send(buffer.subarray(0, length));
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

Deno.test("openPodForward() joins connections to the laptop's port with the pod's, until it is disposed of", async () => {
  const { asked, link, pair } = await echoPod();
  await using _ = pair;
  const port = { port: freePort(), protocol: "TCP" } as const;
  const forward = await openPodForward({ link, intercept: "uid-1", port });
  const to = { hostname: "127.0.0.1", port: port.port };
  using conn = await Deno.connect(to);
  await conn.write(new Uint8Array([1, 2, 3]));
  const into = new Uint8Array(16);
  assert.equal(await conn.read(into), 3);
  assert.deepEqual(asked, [{ kind: "loopback", port }]);
  await assert.rejects(
    openPodForward({ link, intercept: "uid-1", port }),
    /port 127\.0\.0\.1:\d+ is already in use on this laptop/,
  );
  forward[Symbol.dispose]();
  await assert.rejects(conn.read(into));
  await assert.rejects(Deno.connect(to), Deno.errors.ConnectionRefused);
});

Deno.test("openPodForward() carries datagrams, and answers to who sent them", async () => {
  const { link, pair } = await echoPod();
  await using _ = pair;
  const port = { port: freePort(), protocol: "UDP" } as const;
  using __ = await openPodForward({ link, intercept: "uid-1", port });
  const clients = [createSocket("udp4"), createSocket("udp4")];
  const answers = clients.map((client, i) =>
    new Promise<number>((resolve) => {
      client.on("message", (message) => resolve(message[0]!));
      client.send(new Uint8Array([i + 1]), port.port, "127.0.0.1");
    })
  );
  assert.deepEqual(await Promise.all(answers), [1, 2]);
  for (const client of clients) {
    await new Promise<void>((resolve) => client.close(() => resolve()));
  }
});

Deno.test("openPodForward() has the oldest flow of datagrams give way, also before it is open", async () => {
  const port = { port: freePort(), protocol: "UDP" } as const;
  const opened: PromiseWithResolvers<Datagrams>[] = [];
  const link = {
    use: () => {
      opened.push(Promise.withResolvers<Datagrams>());
      return opened.at(-1)!.promise as never;
    },
  };
  const forward = await openPodForward({ link, intercept: "uid-1", port });
  const clients = Array.from({ length: 257 }, () => createSocket("udp4"));
  for (const client of clients) {
    client.send(new Uint8Array(1), port.port, "127.0.0.1");
  }
  while (opened.length < clients.length) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  let closed = 0;
  for (const { resolve } of opened) {
    resolve({
      send: () => true,
      receive: () => new Promise(() => {}),
      close: () => void closed++,
    });
  }
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(closed, 1);
  forward[Symbol.dispose]();
  assert.equal(closed, clients.length);
  for (const client of clients) {
    await new Promise<void>((resolve) => client.close(() => resolve()));
  }
});

Deno.test("openPodForward() tells a port that this user may not have from one that is in use", async () => {
  const { link, pair } = await echoPod();
  await using _ = pair;
  const { listen } = Deno;
  const port = { port: 80, protocol: "TCP" } as const;
  const table = [
    [new Deno.errors.PermissionDenied("no"), /80 is not open to this user/],
    [new Deno.errors.AddrInUse("no"), /80 is already in use/],
    [new Error("no room"), /^no room$/],
  ] as const;
  for (const [error, message] of table) {
    Deno.listen = (() => {
      throw error;
    }) as typeof Deno.listen;
    try {
      await assert.rejects(
        openPodForward({ link, intercept: "uid-1", port }),
        { message },
      );
    } finally {
      Deno.listen = listen;
    }
  }
});
