import assert from "node:assert/strict";
import { FakeClock } from "../../net/clock_fake.ts";
import { serve, type Served } from "../serve_fake.ts";

const get = "GET /a?b=1 HTTP/1.1\r\nHost: app\r\nX-Odd:  Case \r\n\r\n";
const toLaptop = "GET / HTTP/1.1\r\nhost: app\r\nto: laptop\r\n\r\n";
const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";

async function end({ client, over }: Served): Promise<void> {
  await client.conn.closeWrite();
  await over;
}

Deno.test("requests of one connection go where each is routed, octets as they are", async () => {
  const served = serve();
  const { client, app, laptop } = served;
  await client.send(get);
  const appTalk = await app.accept();
  assert.equal(await appTalk.octets(get.length), get);
  await appTalk.send(ok);
  assert.equal(await client.octets(ok.length), ok);

  await client.send(toLaptop);
  const laptopTalk = await laptop.accept();
  assert.equal(await laptopTalk.octets(toLaptop.length), toLaptop);
  await laptopTalk.send(ok);
  assert.equal(await client.octets(ok.length), ok);

  await client.send(get);
  assert.equal(await appTalk.octets(get.length), get);
  await appTalk.send(ok);
  assert.equal(await client.octets(ok.length), ok);
  await end(served);
  assert.deepEqual([app.opened, laptop.opened], [1, 1]);
  assert.deepEqual(served.heads[0], {
    version: "1.1",
    method: "GET",
    target: "/a?b=1",
    headers: [["Host", "app"], ["X-Odd", "Case"]],
  });
});

Deno.test("pipelined requests are answered in order, each by its own destination", async () => {
  const served = serve();
  const { client, app, laptop } = served;
  const post = "POST /1 HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc";
  await client.send(post + toLaptop + "\r\n" + get);
  const appTalk = await app.accept();
  assert.equal(await appTalk.octets(post.length), post);
  assert.equal(laptop.opened, 0);
  await appTalk.send("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1");
  const laptopTalk = await laptop.accept();
  assert.equal(await laptopTalk.octets(toLaptop.length), toLaptop);
  await laptopTalk.send("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n2");
  assert.equal(await appTalk.octets(get.length), get);
  await appTalk.send("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n3");
  await client.conn.closeWrite();
  assert.deepEqual((await client.rest()).match(/\d$|\d(?=HTTP)/g), [
    "1",
    "2",
    "3",
  ]);
  await served.over;
});

Deno.test("chunked bodies pass with extensions and trailers, both ways", async () => {
  const served = serve();
  const { client, app } = served;
  const chunks =
    '5;a=1;b="x;y"\r\nhello\r\nA ;c\r\n0123456789\r\n0\r\nDigest: abc\r\n\r\n';
  const post = "POST / HTTP/1.1\r\nhost: a\r\nTransfer-Encoding: Chunked\r\n" +
    `Trailer: Digest\r\n\r\n${chunks}`;
  await client.send(post + get);
  const talk = await app.accept();
  assert.equal(await talk.octets(post.length), post);
  const answer =
    `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunks}`;
  await talk.send(answer);
  assert.equal(await client.octets(answer.length), answer);
  assert.equal(await talk.octets(get.length), get);
  await talk.send(ok);
  assert.equal(await client.octets(ok.length), ok);
  await end(served);
});

Deno.test("interim responses pass, and the body waits for 100 only if its client does", async () => {
  const served = serve();
  const { client, app } = served;
  const head =
    "POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n";
  await client.send(head);
  const talk = await app.accept();
  assert.equal(await talk.octets(head.length), head);
  const hints = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";
  await talk.send("HTTP/1.1 100 Continue\r\n\r\n" + hints);
  assert.equal(
    await client.until(hints),
    "HTTP/1.1 100 Continue\r\n\r\n" + hints,
  );
  await client.send("body");
  assert.equal(await talk.octets(4), "body");
  await talk.send(ok);
  assert.equal(await client.octets(ok.length), ok);
  await end(served);
});

Deno.test("HTTP/1.0 goes on only when both sides keep it alive", async () => {
  const served = serve();
  const { client, app } = served;
  const alive = "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n";
  await client.send(alive);
  const talk = await app.accept();
  const answer =
    "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n";
  await talk.send(answer);
  assert.equal(await client.octets(answer.length), answer);
  await client.send("GET / HTTP/1.0\r\n\r\n");
  await talk.until("GET / HTTP/1.0\r\n\r\n");
  await talk.send(ok);
  assert.equal(await client.rest(), ok);
  await end(served);
});

Deno.test("Connection: close of either side ends the connection after the answer", async () => {
  for (const side of ["client", "app"]) {
    const served = serve();
    const { client, app } = served;
    const close = "\r\nconnection: foo, Close\r\n";
    await client.send(
      side === "client" ? get.replace("\r\n", close) : get,
    );
    const talk = await app.accept();
    await talk.until("\r\n\r\n");
    const answer = side === "app" ? ok.replace("\r\n", close) : ok;
    await talk.send(answer);
    assert.equal(await client.rest(), answer);
    assert.equal(await talk.rest(), "");
    await end(served);
  }
});

for (
  const [name, request, answer] of [
    [
      "Upgrade",
      "GET /ws HTTP/1.1\r\nhost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
    ],
    [
      "CONNECT",
      "CONNECT db:5432 HTTP/1.1\r\nhost: db:5432\r\n\r\n",
      "HTTP/1.1 200 OK\r\n\r\n",
    ],
  ] as const
) {
  Deno.test(`after ${name} the connection is a pipe`, async () => {
    const served = serve();
    const { client, app } = served;
    await client.send(request + "\x81\x00early");
    const talk = await app.accept();
    assert.equal(await talk.octets(request.length), request);
    await talk.send(answer + "\x00first");
    assert.equal(
      await client.octets(answer.length + 6),
      answer + "\x00first",
    );
    assert.equal(await talk.octets(7), "\x81\x00early");
    await client.send("GET / HTTP/1.1\n\n\x00");
    assert.equal(await talk.octets(17), "GET / HTTP/1.1\n\n\x00");
    await talk.conn.closeWrite();
    assert.equal(await client.rest(), "");
    await end(served);
    assert.equal(served.heads.length, 1);
  });
}

Deno.test("a refused Upgrade is an answer like others", async () => {
  const served = serve();
  const { client, app } = served;
  await client.send(
    "GET /ws HTTP/1.1\r\nhost: a\r\nUpgrade: websocket\r\n\r\n" + get,
  );
  const talk = await app.accept();
  await talk.until("\r\n\r\n");
  await talk.send(ok);
  assert.equal(await client.octets(ok.length), ok);
  assert.equal(await talk.octets(get.length), get);
  await talk.send("HTTP/1.1 101 Switching Protocols\r\n\r\n");
  assert.match(await client.rest(), /^HTTP\/1.1 502 /);
  await end(served);
});

Deno.test("an early answer passes while the body is sent, and the next request follows the body", async () => {
  const served = serve();
  const { client, app } = served;
  const head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 8\r\n\r\n";
  await client.send(head + "half");
  const talk = await app.accept();
  assert.equal(await talk.octets(head.length + 4), head + "half");
  await talk.send(ok);
  assert.equal(await client.octets(ok.length), ok);
  await client.send("half" + get);
  assert.equal(await talk.octets(4 + get.length), "half" + get);
  await talk.send(ok);
  assert.equal(await client.octets(ok.length), ok);
  await end(served);
  assert.equal(app.opened, 1);
});

Deno.test("an early answer that closes reaches the client, who may go on sending for a while", async () => {
  const clock = new FakeClock();
  const served = serve({ clock });
  const { client, app } = served;
  await client.send(
    "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\nhalf",
  );
  const talk = await app.accept();
  await talk.until("half");
  const answer =
    "HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
  await talk.send(answer);
  talk.conn.close();
  assert.equal(await client.rest(), answer);
  await client.send("x".repeat(100_000));
  clock.advance(2_000);
  await served.over;
});

Deno.test("a client that ends after its request gets the answer, and the app sees the end", async () => {
  const served = serve();
  const { client, app } = served;
  await client.send(get);
  await client.conn.closeWrite();
  const talk = await app.accept();
  assert.equal(await talk.rest(), get);
  await talk.send(ok);
  assert.equal(await client.rest(), ok);
  await served.over;
});

Deno.test("a client that goes away breaks its request off", async () => {
  const served = serve();
  await served.client.send(get);
  const talk = await served.app.accept();
  await talk.until("\r\n\r\n");
  served.client.conn.reset();
  assert.ok((await talk.all()).isBroken);
  await served.over;
});

Deno.test("a head has 60 s, and a connection that waits for one has for ever", async () => {
  const clock = new FakeClock();
  const served = serve({ clock });
  const { client, app } = served;
  await client.send(get);
  const talk = await app.accept();
  await talk.until("\r\n\r\n");
  await talk.send(ok);
  await client.octets(ok.length);
  clock.advance(3_600_000);
  await client.send("GET / HTTP/1.1\r\nhost: a\r\n");
  await turns();
  clock.advance(59_000);
  await client.send("x: y\r\n");
  await turns();
  clock.advance(1_000);
  assert.match(await client.rest(), /^HTTP\/1\.1 408 /);
  await end(served);
});

Deno.test("heads of more than 64 KiB or 200 fields are refused with 431", async () => {
  const fields = (count: number) => "a: b\r\n".repeat(count);
  for (
    const head of [
      `GET / HTTP/1.1\r\n${fields(201)}\r\n`,
      `GET / HTTP/1.1\r\na: ${"b".repeat(70_000)}\r\n\r\n`,
    ]
  ) {
    const served = serve();
    served.client.send(head).catch(() => {});
    assert.match(await served.client.rest(), /^HTTP\/1\.1 431 /);
    await end(served);
    assert.equal(served.app.opened, 0);
  }
  const served = serve();
  const most = `GET / HTTP/1.1\r\n${fields(200)}\r\n`;
  await served.client.send(most);
  const talk = await served.app.accept();
  assert.equal(await talk.octets(most.length), most);
  served.abort();
  await served.over;
});

Deno.test("bodies are not held: a destination that does not read stops the client", async () => {
  const served = serve({ bufferBytes: 4096 });
  const { client, app } = served;
  let sent = 0;
  const octets = new Uint8Array(4096).fill(97);
  const flood = (async () => {
    await client.send(
      "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100000000\r\n\r\n",
    );
    for (;;) sent += await client.conn.write(octets);
  })();
  await app.accept();
  await turns(50);
  assert.ok(sent > 0 && sent < 80_000, `${sent} octets went in`);
  served.abort();
  await assert.rejects(flood);
  await served.over;
});

async function turns(count = 10): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}
