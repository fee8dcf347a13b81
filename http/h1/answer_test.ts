import assert from "node:assert/strict";
import v8 from "node:v8";
import vm from "node:vm";
import { serve, type Served } from "../serve_fake.ts";

const get = "GET /a?b=1 HTTP/1.1\r\nHost: app\r\nX-Odd:  Case \r\n\r\n";
const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";

async function end({ client, over }: Served): Promise<void> {
  await client.conn.closeWrite();
  await over;
}

Deno.test("HEAD, 204 and 304 have no body, whatever their length says", async () => {
  const served = serve();
  const { client, app } = served;
  const head = "HEAD / HTTP/1.1\r\nhost: a\r\n\r\n";
  await client.send(head);
  const talk = await app.accept();
  await talk.octets(head.length);
  for (
    const answer of [
      "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n",
      "HTTP/1.1 204 No Content\r\n\r\n",
      "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n",
      "HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n",
    ]
  ) {
    await talk.send(answer);
    assert.equal(await client.octets(answer.length), answer);
    await client.send(get);
    assert.equal(await talk.octets(get.length), get);
  }
  await talk.send(ok);
  await client.octets(ok.length);
  await end(served);
  assert.equal(app.opened, 1);
});

Deno.test("a response without a length ends with its connection, and so the client's", async () => {
  for (const version of ["1.0", "1.1"]) {
    const served = serve();
    const { client, app } = served;
    await client.send(get.replace("1.1", version));
    const talk = await app.accept();
    await talk.until("\r\n\r\n");
    await talk.send(`HTTP/${version} 200 OK\r\n\r\nsome`);
    await talk.send(" more");
    await talk.conn.closeWrite();
    assert.equal(
      await client.rest(),
      `HTTP/${version} 200 OK\r\n\r\nsome more`,
    );
    await end(served);
  }
});

for (
  const [what, answer, end] of [
    ["two lengths", "content-length: 2\r\ncontent-length: 3\r\n\r\nhi", "502"],
    ["no number", "content-length: +2\r\n\r\nhi", "502"],
    [
      "a length and chunks",
      "content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      "closed",
    ],
    ["one length twice", "content-length: 2, 2\r\n\r\nhi", "closed"],
    ["line feeds alone", "content-length: 2\n\nhi", "until the client speaks"],
    [
      "a broken chunk",
      "transfer-encoding: chunked\r\n\r\n2 \r\nhi\r\n0\r\n\r\n",
      "until the client speaks",
    ],
  ] as const
) {
  Deno.test(`an answer with ${what} is the connection's last: ${end}`, async () => {
    const served = serve();
    const { client, app } = served;
    await client.send(get);
    const talk = await app.accept();
    await talk.until("\r\n\r\n");
    const whole = `HTTP/1.1 200 OK\r\n${answer}`;
    await talk.send(whole);
    if (end === "until the client speaks") {
      assert.equal(await client.octets(whole.length), whole);
      await client.send(get);
      assert.equal(await client.rest(), "");
    } else if (end === "closed") assert.equal(await client.rest(), whole);
    else assert.match(await client.rest(), /^HTTP\/1\.1 502 /);
    await client.conn.closeWrite();
    await served.over;
    assert.equal(served.heads.length, 1);
  });
}

Deno.test("an answer that is cut is cut for the client too", async () => {
  for (const how of ["close", "reset"] as const) {
    const served = serve();
    const { client, app } = served;
    await client.send(get);
    const talk = await app.accept();
    await talk.until("\r\n\r\n");
    await talk.send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhal");
    await client.until("hal");
    if (how === "close") await talk.conn.closeWrite();
    else talk.conn.reset();
    assert.deepEqual(await client.all(), {
      text: "",
      isBroken: how === "reset",
    });
    client.conn.close();
    await served.over;
  }
});

/** Octets of the heap that are in use once what can be thrown away has been. */
function usedHeap(): number {
  v8.setFlagsFromString("--expose-gc");
  vm.runInNewContext("gc")();
  return Deno.memoryUsage().heapUsed;
}

Deno.test("of an answer whose end cannot be told nothing is held, in however many pieces it comes", async () => {
  const served = serve();
  const { client, app } = served;
  await client.send(get);
  const talk = await app.accept();
  await talk.octets(get.length);
  const pass = async (pieces: number) => {
    for (let piece = 0; piece < pieces; piece++) {
      await talk.send("x");
      await client.octets(1);
    }
    return usedHeap();
  };
  const before = await pass(2_000);
  const grown = await pass(20_000) - before;
  assert.ok(grown < 500_000, `${grown} octets are held`);
  await talk.conn.closeWrite();
  await client.rest();
  await end(served);
});
