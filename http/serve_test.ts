import assert from "node:assert/strict";
import { RefusedError } from "../net/mod.ts";
import { FakeClock } from "../net/clock_fake.ts";
import { SlowDestination } from "./destination_fake.ts";
import { serve } from "./serve_fake.ts";

async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

Deno.test("what is no HTTP is the app's, untouched and both ways", async () => {
  const { client, app, over, heads } = serve();
  const hello = "\x16\x03\x01\x00\x05\0\0\0\n\r";
  await client.send(hello);
  const talk = await app.accept();
  assert.equal(await talk.octets(hello.length), hello);
  await talk.send("\x16\x03\x03");
  assert.equal(await client.octets(3), "\x16\x03\x03");
  await client.send("GET / HTTP/1.1\r\n\r\n");
  assert.equal(await talk.until("\r\n\r\n"), "GET / HTTP/1.1\r\n\r\n");
  await client.conn.closeWrite();
  assert.equal(await talk.rest(), "");
  await talk.send("bye");
  await talk.conn.closeWrite();
  assert.equal(await client.rest(), "bye");
  await over;
  assert.equal(heads.length, 0);
});

Deno.test("an app that speaks first has the connection after 100 ms of silence", async () => {
  const clock = new FakeClock();
  const { client, app, over } = serve({ clock });
  await turns();
  clock.advance(99);
  assert.equal(app.opened, 0);
  clock.advance(1);
  const talk = await app.accept();
  await talk.send("220 ready\r\n");
  assert.equal(await client.until("\n"), "220 ready\r\n");
  await client.send("GET / HTTP/1.1\r\n\r\n");
  assert.equal(await talk.until("\r\n\r\n"), "GET / HTTP/1.1\r\n\r\n");
  client.conn.reset();
  assert.ok((await talk.all()).isBroken);
  await over;
});

Deno.test("a silent client may still speak HTTP, and the open connection serves", async () => {
  const clock = new FakeClock();
  const { client, app, over, heads } = serve({ clock });
  await turns();
  clock.advance(100);
  const talk = await app.accept();
  clock.advance(3_600_000);
  await client.send("GET / HTTP/1.1\r\n\r\n");
  await talk.until("\r\n\r\n");
  await talk.send("HTTP/1.1 204 No Content\r\n\r\n");
  await client.until("\r\n\r\n");
  await client.conn.closeWrite();
  await over;
  assert.equal(heads.length, 1);
  assert.equal(app.opened, 1);
});

Deno.test("a silent client's connection ends when the app ends it, and the other way", async () => {
  for (const who of ["app", "client"]) {
    const clock = new FakeClock();
    const { client, app, over } = serve({ clock });
    await turns();
    clock.advance(100);
    const talk = await app.accept();
    const [first, second] = who === "app" ? [talk, client] : [client, talk];
    await first.conn.closeWrite();
    assert.equal(await second.rest(), "");
    await second.conn.closeWrite();
    assert.equal(await first.rest(), "");
    await over;
  }
});

Deno.test("an app that refuses is a reset for the client that speaks no HTTP, or nothing", async () => {
  for (const isSilent of [false, true]) {
    const clock = new FakeClock();
    const { client, app, over } = serve({ clock });
    app.refusal = new RefusedError("refused", "nobody");
    if (isSilent) {
      await turns();
      clock.advance(100);
    } else await client.send("\0");
    assert.deepEqual(await client.all(), { text: "", isBroken: true });
    await over;
  }
});

Deno.test("a word that might begin a request is held back 3 s, then it is the app's", async () => {
  const clock = new FakeClock();
  const { client, app, over, abort } = serve({ clock });
  await client.send("GET ");
  await turns();
  clock.advance(2_999);
  await client.send("k");
  await turns();
  assert.equal(app.opened, 0);
  clock.advance(1);
  const talk = await app.accept();
  assert.equal(await talk.octets(5), "GET k");
  abort();
  assert.ok((await client.all()).isBroken);
  await over;
});

Deno.test("the signal breaks off what is open, at any time", async () => {
  for (const say of ["", "G", "\0", "GET / HTTP/1.1\r\n\r\n"]) {
    const served = serve({ limits: { silenceMs: 0 } });
    await served.client.send(say);
    if (say !== "G") await served.app.accept();
    served.abort();
    assert.ok((await served.client.all()).isBroken);
    await served.over;
  }
});

Deno.test("a client that goes away while a destination is opened calls the opening off", async () => {
  const called = Promise.withResolvers<void>();
  const slow = {
    open: ({ signal }: { signal: AbortSignal }) =>
      new Promise<never>((_, reject) =>
        signal.addEventListener("abort", () => {
          called.resolve();
          reject(signal.reason);
        })
      ),
  };
  const served = serve({ route: () => slow });
  await served.client.send("GET / HTTP/1.1\r\n\r\n");
  await turns();
  served.client.conn.reset();
  await called.promise;
  await served.over;
});

Deno.test("an app is waited for no longer than a client that speaks no HTTP", async () => {
  const slow = new SlowDestination();
  const { client, over } = serve({ otherwise: slow });
  await client.send("\0");
  const signal = await slow.asked;
  client.conn.reset();
  await turns();
  assert.ok(signal.aborted);
  assert.ok((await slow.arrive().all()).isBroken);
  await over;
});

Deno.test("a client that speaks while the app is being opened is heard", async () => {
  const clock = new FakeClock();
  const slow = new SlowDestination();
  const { client, app, over, heads } = serve({ clock, otherwise: slow });
  await turns();
  clock.advance(100);
  await slow.asked;
  await client.send("GET / HTTP/1.1\r\n\r\n");
  await turns();
  slow.arrive();
  await turns();
  assert.equal(heads.length, 1);
  const talk = await app.accept();
  await talk.until("\r\n\r\n");
  await talk.send("HTTP/1.1 204 No Content\r\n\r\n");
  await client.until("\r\n\r\n");
  client.conn.close();
  await over;
});

/** What `head` becomes for a client that is told to leave. */
function leaving(head: string): string {
  return `${head.slice(0, -2)}Connection: close\r\n\r\n`;
}

Deno.test("drain tells the client with the last answer that is asked for, ends an idle connection in time, and no pipe", async () => {
  const get = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
  const ok = "HTTP/1.1 204 No Content\r\n\r\n";
  for (const kind of ["idle", "asking", "busy", "pipelined", "pipe"]) {
    const drain = new AbortController();
    const clock = new FakeClock();
    const served = serve({ drain: drain.signal, clock });
    const { client, app } = served;
    await client.send(kind === "pipe" ? "\0" : get);
    const talk = await app.accept();
    const answer = async (text: string) => {
      await talk.octets(get.length);
      await talk.send(ok);
      assert.equal(await client.octets(text.length), text);
    };
    if (kind === "pipe") {
      drain.abort();
      await client.send("\0");
      assert.equal(await talk.octets(2), "\0\0");
      client.conn.reset();
      await served.over;
      continue;
    }
    if (kind === "busy") drain.abort();
    if (kind === "pipelined") {
      await client.send(get);
      await turns();
      drain.abort();
      await answer(ok);
    }
    if (kind === "idle" || kind === "asking") {
      await answer(ok);
      await turns();
      drain.abort();
    }
    if (kind === "asking") {
      clock.advance(1_999);
      await client.send(get);
    }
    if (kind === "idle") clock.advance(2_000);
    else await answer(leaving(ok));
    assert.equal(await client.rest(), "");
    client.conn.close();
    await served.over;
  }
});
