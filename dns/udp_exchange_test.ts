import assert from "node:assert/strict";
import { Socket } from "node:dgram";
import { home, query, respond } from "./message_fake.ts";
import { FakeNameserver } from "./nameserver_fake.ts";
import { UdpExchange } from "./udp_exchange.ts";

/** Sockets that are bound meanwhile fail as when no descriptor is left. */
function noSockets(): Disposable {
  const { bind } = Socket.prototype;
  Socket.prototype.bind = function (this: Socket) {
    queueMicrotask(() => this.emit("error", new Error("EMFILE")));
    return this;
  };
  return {
    [Symbol.dispose]: () => {
      Socket.prototype.bind = bind;
    },
  };
}

Deno.test("UdpExchange tells at once that there is no socket, and opens another for the next question", async () => {
  await using nameserver = await FakeNameserver.start((question) =>
    respond(question)
  );
  await using udp = new UdpExchange();
  const { signal } = new AbortController();
  const to = { to: home, port: nameserver.port, signal };
  const question = query("example.com");
  {
    using _ = noSockets();
    await assert.rejects(udp.ask(question, to), { message: "EMFILE" });
  }
  assert.deepEqual(await udp.ask(question, to), respond(question));
});
