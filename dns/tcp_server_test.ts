import assert from "node:assert/strict";
import { FakeClock } from "../net/clock_fake.ts";
import {
  type Conn,
  connPair,
  DnsFrameReader,
  encodeDnsFrame,
  writeAll,
} from "../net/mod.ts";
import { FakeNameserver } from "./nameserver_fake.ts";
import {
  address,
  decode,
  gist,
  home,
  query,
  receive,
  respond,
  start,
} from "./message_fake.ts";

/** A client on a TCP connection to the DNS. */
function client(serve: (conn: Conn) => Promise<void>) {
  const [app, ours] = connPair();
  const frames = new DnsFrameReader(app);
  return {
    app,
    served: serve(ours),
    send: (...messages: Uint8Array[]) =>
      writeAll(
        app,
        new Uint8Array(messages.flatMap((one) => [...encodeDnsFrame(one)])),
      ),
    receive: () => frames.read(),
  };
}

Deno.test("Dns asks over TCP who was asked over TCP, and truncation is the app's to see", async () => {
  await using nameserver = await FakeNameserver.start((question, { stream }) =>
    stream
      ? address(question, "192.0.2.1")
      : respond(question, { flags: 0x200 })
  );
  await using dns = start({
    nameservers: () => [home],
    nameserverPort: nameserver.port,
  });
  const flow = dns.datagrams();
  flow.send(query("example.com"));
  assert.ok(decode(await receive(flow)).flag_tc);
  const { app, served, send, receive: next } = client((conn) =>
    dns.serve(conn)
  );
  await send(query("example.com"));
  assert.deepEqual(gist((await next())!).answers, ["192.0.2.1"]);
  await app.closeWrite();
  assert.equal(await next(), null);
  await served;
});

Deno.test("Dns answers many queries of a connection, each as soon as it can", async () => {
  const slow = Promise.withResolvers<void>();
  await using dns = start({
    lookup: async (question) => {
      if (decode(question).questions![0]!.name.startsWith("slow.")) {
        await slow.promise;
      }
      return address(question, "10.96.0.7");
    },
  });
  const { app, served, send, receive: next } = client((conn) =>
    dns.serve(conn)
  );
  const [first, second] = [query("slow"), query("fast")];
  await send(first, second);
  await app.closeWrite();
  assert.equal(gist((await next())!).id, decode(second).id);
  slow.resolve();
  assert.equal(gist((await next())!).id, decode(first).id);
  assert.equal(await next(), null);
  await served;
});

Deno.test("Dns reads no more of a connection than it may have in flight", async () => {
  const full = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  let lookups = 0;
  await using dns = start({
    lookup: async (question) => {
      if (++lookups === 64) full.resolve();
      await held.promise;
      return address(question, "10.96.0.7");
    },
  });
  const { app, served, send, receive: next } = client((conn) =>
    dns.serve(conn)
  );
  await send(...Array.from({ length: 200 }, (_, i) => query(`s${i}`)));
  await app.closeWrite();
  await full.promise;
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(dns.stats().inFlight, 64);
  held.resolve();
  let count = 0;
  while (await next() !== null) count++;
  assert.equal(count, 200);
  await served;
});

Deno.test("Dns closes a connection that is idle", async () => {
  const clock = new FakeClock();
  await using dns = start({ clock });
  const { served, receive: next } = client((conn) => dns.serve(conn));
  clock.advance(30_000);
  assert.equal(await next(), null);
  await served;
});
