import assert from "node:assert/strict";
import { makeCertificate } from "../../manager/certificate.ts";
import { Ip, RefusedError } from "../../net/mod.ts";
import { dialDirect } from "./direct_dial.ts";

const loopback = Ip.parse("127.0.0.1");
const { signal } = new AbortController();

function certificate(name: string) {
  return makeCertificate({
    name,
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + 3_600_000),
  });
}

const name = "one.manager.invalid";
const own = await certificate(name);

/** A server that says "hi" to who takes its certificate. */
function startServer() {
  const at = { hostname: "127.0.0.1", port: 0 };
  const listener = Deno.listenTls({ ...at, cert: own.cert, key: own.key });
  const { port } = listener.addr as Deno.NetAddr;
  const serving = (async () => {
    for (;;) {
      const conn = await listener.accept().catch(() => undefined);
      if (conn === undefined) return;
      await conn.write(new TextEncoder().encode("hi")).catch(() => {});
      conn.close();
    }
  })();
  const endpoint = { host: "tunnel.test", port };
  return {
    offer: { endpoint, name, certificate: own.cert },
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

Deno.test("dialDirect() takes the first address at which the manager is", async () => {
  await using server = startServer();
  const addresses = [Ip.parse("127.0.0.2"), loopback];
  const conn = await dialDirect(server.offer, { addresses, signal });
  assert.equal(await conn.read(new Uint8Array(9)), 2);
  conn.close();
});

Deno.test("dialDirect() takes nobody else, and tells where nobody was", async () => {
  await using server = startServer();
  const other = await certificate(name);
  const offers = [
    { ...server.offer, certificate: other.cert },
    { ...server.offer, name: "other.manager.invalid" },
  ];
  for (const offer of offers) {
    await assert.rejects(
      dialDirect(offer, { addresses: [loopback], signal }),
      (error) =>
        error instanceof RefusedError &&
        /^Cannot reach "tunnel.test" at port \d+: /.test(error.message),
    );
  }
  await assert.rejects(
    dialDirect(server.offer, { addresses: [], signal }),
    /it has no address/,
  );
});

Deno.test("dialDirect() gives up when called off, in the middle of a handshake as well", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const endpoint = { host: "tunnel.test", port: listener.addr.port };
  const abort = new AbortController();
  const dialling = dialDirect(
    { endpoint, name, certificate: own.cert },
    { addresses: [loopback], signal: abort.signal },
  );
  using silent = await listener.accept();
  await silent.read(new Uint8Array(9));
  abort.abort(new Error("enough"));
  await assert.rejects(dialling, { message: "enough" });
});
