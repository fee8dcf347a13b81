import assert from "node:assert/strict";
import { RefusedError } from "../../net/mod.ts";
import { serve, type Served } from "../serve_fake.ts";

const get = "GET /a?b=1 HTTP/1.1\r\nHost: app\r\nX-Odd:  Case \r\n\r\n";
const toLaptop = "GET / HTTP/1.1\r\nhost: app\r\nto: laptop\r\n\r\n";
const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";

async function end({ client, over }: Served): Promise<void> {
  await client.conn.closeWrite();
  await over;
}

Deno.test("an idle upstream that ended is opened anew", async () => {
  const served = serve();
  const { client, app } = served;
  await client.send(get);
  const first = await app.accept();
  await first.until("\r\n\r\n");
  await first.send(ok);
  await client.octets(ok.length);
  first.conn.close();
  await client.send("POST / HTTP/1.1\r\nhost: a\r\n\r\n");
  const second = await app.accept();
  await second.until("\r\n\r\n");
  await second.send(ok);
  assert.equal(await client.octets(ok.length), ok);
  await end(served);
});

Deno.test("an idle upstream that was opened by another way is ended in order, and opened anew", async () => {
  const served = serve();
  const { client, app } = served;
  app.currentWay = "one";
  const answered = async () => {
    const talk = await app.accept();
    await talk.until("\r\n\r\n");
    await talk.send(ok);
    await client.octets(ok.length);
    return talk;
  };
  await client.send(get);
  const first = await answered();
  app.currentWay = "another";
  await client.send("POST / HTTP/1.1\r\nhost: a\r\n\r\n");
  assert.deepEqual(await first.all(), { text: "", isBroken: false });
  await answered();
  await end(served);
});

Deno.test("an idle upstream whose way has ended does not wait for a request of its own", async () => {
  const served = serve();
  const { client, app, laptop } = served;
  laptop.currentWay = "one";
  await client.send(toLaptop);
  const idle = await laptop.accept();
  await idle.until("\r\n\r\n");
  await idle.send(ok);
  await client.octets(ok.length);
  laptop.currentWay = undefined;
  await client.send(get);
  assert.deepEqual(await idle.all(), { text: "", isBroken: false });
  const talk = await app.accept();
  await talk.until("\r\n\r\n");
  await talk.send(ok);
  await client.octets(ok.length);
  await end(served);
});

Deno.test("what an idle upstream says of itself is nobody's answer", async () => {
  const served = serve();
  const { client, app } = served;
  await client.send(get);
  const first = await app.accept();
  await first.until("\r\n\r\n");
  await first.send(ok + "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil");
  assert.equal(await client.octets(ok.length), ok);
  await client.send(get);
  const second = await app.accept();
  await second.until("\r\n\r\n");
  await second.send(ok);
  assert.equal(await client.octets(ok.length), ok);
  await end(served);
});

for (
  const [request, isRetried] of [
    [get, true],
    ["POST / HTTP/1.1\r\nhost: a\r\n\r\n", false],
    ["PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx", false],
  ] as const
) {
  const what = request.split("\r\n")[0];
  Deno.test(`${what} on a kept upstream that breaks is ${isRetried ? "" : "not "}tried again`, async () => {
    const served = serve();
    const { client, app } = served;
    await client.send(get);
    const first = await app.accept();
    await first.until("\r\n\r\n");
    await first.send(ok);
    await client.octets(ok.length);
    await client.send(request);
    await first.octets(request.length);
    first.conn.reset();
    if (isRetried) {
      const second = await app.accept();
      assert.equal(await second.octets(request.length), request);
      second.conn.reset();
    }
    assert.deepEqual(await client.all(), { text: "", isBroken: true });
    await served.over;
    assert.equal(app.opened, isRetried ? 2 : 1);
  });
}

Deno.test("a refusal takes the fallback, whose answer is marked and else unchanged", async () => {
  const served = serve();
  const { client, app, laptop } = served;
  const told: string[] = [];
  laptop.refusal = new RefusedError("refused", "nothing listens");
  laptop.fallback = {
    destination: app,
    mark: ["x-tp-fallback", "refused"],
    onFallback: (error) => told.push(error.message),
  };
  const request = "POST / HTTP/1.1\r\nhost: a\r\nto: laptop\r\n" +
    "content-length: 3\r\n\r\nabc";
  await client.send(request);
  const talk = await app.accept();
  assert.equal(await talk.octets(request.length), request);
  await talk.send("HTTP/1.1 100 Continue\r\n\r\n" + ok);
  assert.equal(
    await client.until("hi"),
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n" +
      "x-tp-fallback: refused\r\n\r\nhi",
  );
  await client.send(get);
  await talk.until("\r\n\r\n");
  await talk.send(ok);
  assert.equal(await client.octets(ok.length), ok);
  await end(served);
  assert.deepEqual(told, ["nothing listens"]);
});

Deno.test("without a fallback, or when it refuses too, the answer is 502", async () => {
  for (const hasFallback of [false, true]) {
    const served = serve();
    const { client, app, laptop } = served;
    app.refusal = laptop.refusal = new RefusedError("refused", "nobody there");
    if (hasFallback) {
      laptop.fallback = { destination: app, mark: ["x-mark", "1"] };
    }
    await client.send(toLaptop);
    const answer = await client.rest();
    assert.match(answer, /^HTTP\/1\.1 502 Bad Gateway\r\n/);
    assert.match(answer, /nobody there\n$/);
    await end(served);
    assert.deepEqual([app.opened, laptop.opened], [hasFallback ? 1 : 0, 1]);
  }
});
