import assert from "node:assert/strict";
import { connPair, RefusedError } from "../net/mod.ts";
import { FakeDestination, Talk } from "./destination_fake.ts";
import { serve } from "./serve_fake.ts";
import { tappedPipe } from "./tapped_pipe.ts";

const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
const post = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc";

Deno.test("tappedPipe() copies what the client sends, and only that", async () => {
  const [client, clientEnd] = connPair();
  const [app, appEnd] = connPair();
  const tap = new FakeDestination();
  const lost: string[] = [];
  const piped = tappedPipe(clientEnd, appEnd, [tap], {
    onTapLost: (_, error) => lost.push(error.message),
  });
  const [clientTalk, appTalk] = [new Talk(client), new Talk(app)];
  const tapTalk = await tap.accept();
  await clientTalk.send("question");
  assert.equal(await appTalk.octets(8), "question");
  assert.equal(await tapTalk.octets(8), "question");
  await tapTalk.send("ignored");
  await appTalk.send("answer");
  assert.equal(await clientTalk.octets(6), "answer");
  await clientTalk.conn.closeWrite();
  await appTalk.conn.closeWrite();
  assert.equal(await clientTalk.rest(), "");
  assert.equal(await tapTalk.rest(), "");
  await tapTalk.conn.closeWrite();
  assert.equal(await piped, "ended");
  assert.deepEqual(lost, []);
});

Deno.test("tappedPipe() lets go of a tap that does not keep up, refuses or ends", async () => {
  for (const how of ["slow", "refused", "ended"]) {
    const [client, clientEnd] = connPair();
    const [app, appEnd] = connPair();
    const tap = new FakeDestination();
    if (how === "refused") tap.refusal = new RefusedError("refused", "nobody");
    const lost: string[] = [];
    const piped = tappedPipe(clientEnd, appEnd, [tap], {
      onTapLost: (which, error) => {
        assert.equal(which, tap);
        lost.push(error.message);
      },
    });
    const [clientTalk, appTalk] = [new Talk(client), new Talk(app)];
    if (how === "ended") (await tap.accept()).conn.close();
    const text = "x".repeat(1_000_000);
    const sent = clientTalk.send(text);
    assert.equal(await appTalk.octets(text.length), text);
    await sent;
    await clientTalk.conn.closeWrite();
    await appTalk.conn.closeWrite();
    assert.equal(await piped, "ended");
    assert.equal(lost.length, 1);
    assert.match(
      lost[0]!,
      { slow: /keep up/, refused: /nobody/, ended: /ended|reset/ }[how]!,
    );
  }
});

Deno.test("a tap gets the requests that are its, and its answers reach nobody", async () => {
  const app = new FakeDestination();
  const tap = new FakeDestination();
  const served = serve({
    route: ({ method }) =>
      method === "POST" ? { destination: app, taps: [tap] } : app,
  });
  const { client } = served;
  const get = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
  const talk = await (async () => {
    await client.send(post);
    return await app.accept();
  })();
  for (const request of [get, post]) {
    await talk.until("\r\n\r\n");
    await talk.send(ok);
    assert.equal(await client.octets(ok.length), ok);
    await client.send(request);
  }
  await talk.until("POST");
  await talk.until("abc");
  await talk.send(ok);
  assert.equal(await client.octets(ok.length), ok);
  const tapTalk = await tap.accept();
  await tapTalk.send("HTTP/1.1 500 Ignored\r\n\r\n");
  assert.equal(await tapTalk.octets(2 * post.length), post + post);
  await client.conn.closeWrite();
  assert.equal(await tapTalk.rest(), "");
  tapTalk.conn.close();
  await served.over;
});

Deno.test("a tap that is lost in one request has a fresh connection in the next", async () => {
  const app = new FakeDestination();
  const tap = new FakeDestination();
  const lost: string[] = [];
  const served = serve({
    route: () => ({ destination: app, taps: [tap] }),
    onTapLost: (_, error) => lost.push(error.message),
  });
  const { client } = served;
  const head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 600000\r\n\r\n";
  const sent = client.send(head + "x".repeat(600_000));
  const talk = await app.accept();
  await talk.octets(head.length + 600_000);
  await sent;
  assert.equal(lost.length, 1);
  await talk.send(ok);
  await client.octets(ok.length);
  await client.send(post);
  await tap.accept();
  const second = await tap.accept();
  assert.equal(await second.octets(post.length), post);
  await talk.octets(post.length);
  await talk.send(ok);
  await client.octets(ok.length);
  await client.conn.closeWrite();
  second.conn.close();
  await served.over;
  assert.equal(lost.length, 1);
});

Deno.test("a tap gets what is sent after a protocol switch too", async () => {
  const app = new FakeDestination();
  const tap = new FakeDestination();
  const served = serve({ route: () => ({ destination: app, taps: [tap] }) });
  const { client } = served;
  const upgrade = "GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\n\r\n";
  await client.send(upgrade);
  const talk = await app.accept();
  await talk.octets(upgrade.length);
  const answer = "HTTP/1.1 101 Switching Protocols\r\n\r\n";
  await talk.send(answer);
  assert.equal(await client.octets(answer.length), answer);
  await client.send("\x81\x01a");
  assert.equal(await talk.octets(3), "\x81\x01a");
  const tapTalk = await tap.accept();
  assert.equal(
    await tapTalk.octets(upgrade.length + 3),
    `${upgrade}\x81\x01a`,
  );
  await client.conn.closeWrite();
  await talk.conn.closeWrite();
  assert.equal(await tapTalk.rest(), "");
  tapTalk.conn.close();
  await served.over;
});

Deno.test("a tap whose way has ended does not wait for a copy of its own", async () => {
  const tap = new FakeDestination();
  tap.currentWay = "one";
  const app = new FakeDestination();
  let taps = [tap];
  const { client, over } = serve({ route: () => ({ destination: app, taps }) });
  let talk: Talk | undefined;
  const ask = async () => {
    await client.send(post);
    talk ??= await app.accept();
    await talk.octets(post.length);
    await talk.send(ok);
    await client.octets(ok.length);
  };
  await ask();
  const copy = await tap.accept();
  [taps, tap.currentWay] = [[], undefined];
  await ask();
  assert.equal(await copy.rest(), post);
  copy.conn.close();
  await client.conn.closeWrite();
  await over;
});
