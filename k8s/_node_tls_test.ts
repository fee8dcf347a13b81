import assert from "node:assert/strict";
import { type Conn, ConnResetError, writeAll } from "../net/mod.ts";
import { pem, send } from "./_api_server_fake.ts";
import { DenoConn } from "./_deno_conn.ts";
import { type NodeTlsOptions, startNodeTls } from "./_node_tls.ts";

/** A TLS server with one connection to it, whose bytes read so far are counted. */
async function pair(options: Partial<NodeTlsOptions> = {}, name = "server") {
  using listener = Deno.listenTls({
    hostname: "127.0.0.1",
    port: 0,
    cert: pem(`${name}.pem`),
    key: pem(`${name}.key`),
  });
  const { port } = listener.addr as Deno.NetAddr;
  const accepted = listener.accept();
  const raw = new DenoConn(await Deno.connect({ hostname: "127.0.0.1", port }));
  const counted = { read: 0 };
  const below: Conn = {
    read: async (into) => {
      const count = await raw.read(into);
      counted.read += count ?? 0;
      return count;
    },
    write: (bytes) => raw.write(bytes),
    closeWrite: () => raw.closeWrite(),
    close: () => raw.close(),
    reset: () => raw.reset(),
  };
  const peer = await accepted as Deno.TlsConn;
  const handshake = peer.handshake().catch(() => {});
  try {
    const conn = await startNodeTls(below, {
      serverName: "127.0.0.1",
      authority: pem("ca.pem"),
      insecure: false,
      signal: new AbortController().signal,
      ...options,
    });
    await handshake;
    return { conn, peer, counted };
  } catch (error) {
    raw.close();
    await handshake;
    peer.close();
    throw error;
  }
}

Deno.test("startNodeTls() carries bytes both ways and tells the peer's end", async () => {
  const { conn, peer } = await pair();
  const question = crypto.getRandomValues(new Uint8Array(60_000));
  const answer = crypto.getRandomValues(new Uint8Array(60_000));
  const sending = writeAll(conn, question);
  const got: number[] = [];
  const buffer = new Uint8Array(10_000);
  while (got.length < question.length) {
    got.push(...buffer.subarray(0, await peer.read(buffer) ?? 0));
  }
  await sending;
  assert.deepEqual(new Uint8Array(got), question);
  const answering = send(peer, answer).then(() => peer.close());
  const back: number[] = [];
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) break;
    back.push(...buffer.subarray(0, count));
  }
  assert.deepEqual(new Uint8Array(back), answer);
  await answering;
  conn.close();
});

Deno.test("startNodeTls() leaves a sender waiting whose bytes nobody reads", async () => {
  const { conn, peer, counted } = await pair();
  const bytes = new Uint8Array(64 * 1024);
  let sent = 0;
  const flood = (async () => {
    for (;;) sent += await peer.write(bytes);
  })().catch(() => {});
  await conn.read(new Uint8Array(1));
  // The kernel's buffers take some megabytes; then the sender stands still.
  for (let before = -1; before !== sent;) {
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.ok(counted.read < 512 * 1024, `${counted.read} bytes were read`);
  conn.close();
  peer.close();
  await flood;
});

Deno.test("startNodeTls() goes on for a reader that pauses between its reads", async () => {
  const { conn, peer } = await pair();
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  const rounds = 10;
  const sending = (async () => {
    for (let i = 0; i < rounds; i++) await writeAll(new DenoConn(peer), bytes);
  })();
  const buffer = new Uint8Array(10_000);
  let received = 0;
  while (received < rounds * bytes.length) {
    received += await conn.read(buffer) ?? 0;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await sending;
  conn.close();
  peer.close();
});

Deno.test("startNodeTls() leaves our writer waiting while the peer does not read", async () => {
  const { conn, peer } = await pair();
  const bytes = new Uint8Array(64 * 1024);
  let sent = 0;
  const flood = (async () => {
    for (;;) sent += await conn.write(bytes);
  })();
  flood.catch(() => {});
  for (let before = -1; before !== sent;) {
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.ok(sent < 32 * 1024 * 1024, `${sent} bytes were written`);
  conn.close();
  await assert.rejects(flood, ConnResetError);
  peer.close();
});

Deno.test("startNodeTls() rejects a pending read when the flow is closed", async () => {
  const { conn, peer } = await pair();
  const reading = conn.read(new Uint8Array(1));
  conn.close();
  await assert.rejects(reading, ConnResetError);
  await assert.rejects(conn.write(new Uint8Array(1)), ConnResetError);
  peer.close();
});

const refusals: {
  name: string;
  options: Partial<NodeTlsOptions>;
  server?: string;
  code: string;
}[] = [
  {
    name: "an authority that is not the kubeconfig's",
    options: { authority: pem("client.pem") },
    code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  },
  {
    name: "a certificate for another name",
    options: {},
    server: "elsewhere",
    code: "ERR_TLS_CERT_ALTNAME_INVALID",
  },
];

for (const { name, options, server, code } of refusals) {
  Deno.test(`startNodeTls() refuses ${name}`, async () => {
    await assert.rejects(pair(options, server), { code });
  });
}

Deno.test("startNodeTls() checks the name it is told, or nothing when told so", async () => {
  for (
    const options of [
      { serverName: "api.elsewhere.test" },
      { insecure: true, authority: undefined },
    ]
  ) {
    const { conn, peer } = await pair(options, "elsewhere");
    conn.close();
    peer.close();
  }
});

Deno.test("startNodeTls() gives up when called off", async () => {
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(pair({ signal }), { message: "enough" });
});
