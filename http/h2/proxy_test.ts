import assert from "node:assert/strict";
import { RefusedError, writeAll } from "../../net/mod.ts";
import { FakeDestination } from "../destination_fake.ts";
import { encodeFrame, frameType } from "./frame.ts";
import type { ServerHttp2Stream } from "node:http2";
import { NodeClient, NodeServer } from "./h2_fake.ts";

/** Answers with its name and what it was sent. */
function echo(name: string) {
  return (stream: ServerHttp2Stream) => {
    stream.on("error", () => {});
    stream.respond({ ":status": 200, "x-server": name });
    stream.pipe(stream);
  };
}

Deno.test("requests of one HTTP/2 connection go where each is routed", async () => {
  const app = await NodeServer.start(echo("app"));
  const laptop = await NodeServer.start(echo("laptop"));
  const client = new NodeClient({
    route: ({ headers }) =>
      headers.some(([name, value]) => name === "x-user" && value === "jane")
        ? laptop
        : app,
    otherwise: app,
  });
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, at) =>
      client.request(
        {
          ":method": "POST",
          ":path": `/${at}?q`,
          ...(at % 3 === 0 ? { "x-user": "jane" } : {}),
        },
        [`hello ${at}`, "x".repeat(at * 3_000)],
      )),
  );
  answers.forEach(({ headers, body }, at) => {
    assert.equal(headers["x-server"], at % 3 === 0 ? "laptop" : "app");
    assert.equal(body, `hello ${at}${"x".repeat(at * 3_000)}`);
  });
  assert.deepEqual([app.opened, laptop.opened], [1, 1]);
  assert.equal(client.heads[0]!.target, "/0?q");
  assert.equal(client.heads[0]!.version, "2");
  await client.stop();
  await app.stop();
  await laptop.stop();
});

Deno.test("interim heads, trailers of both sides and empty bodies pass", async () => {
  const seen: unknown[] = [];
  const app = await NodeServer.start((stream, headers) => {
    seen.push(headers["te"]);
    stream.additionalHeaders({ ":status": 103, link: "</a>" });
    stream.respond({ ":status": 200 }, { waitForTrailers: true });
    stream.on(
      "wantTrailers",
      () => stream.sendTrailers({ "grpc-status": "0", "grpc-message": "fine" }),
    );
    stream.end("body");
  });
  const client = new NodeClient({ route: () => app, otherwise: app });
  const answer = await client.request({ ":path": "/", te: "trailers" });
  assert.equal(answer.body, "body");
  assert.deepEqual(answer.interim, [103]);
  assert.equal(answer.trailers["grpc-status"], "0");
  assert.deepEqual(seen, ["trailers"]);
  await client.stop();
  await app.stop();
});

Deno.test("streams go both ways at once, and a bulk one holds up no other", async () => {
  let held: ServerHttp2Stream | undefined;
  const app = await NodeServer.start((stream, headers) => {
    stream.on("error", () => {});
    stream.respond({ ":status": 200 });
    if (headers[":path"] === "/held") held = stream;
    else stream.pipe(stream);
  });
  const client = new NodeClient({ route: () => app, otherwise: app });
  // Nobody reads what this one sends: its windows close.
  const stuck = client.session.request({ ":path": "/held", ":method": "POST" });
  stuck.on("error", () => {});
  stuck.write("x".repeat(3_000_000));
  const chat = client.session.request({ ":path": "/chat", ":method": "POST" });
  for (let turn = 0; turn < 5; turn++) {
    const heard = new Promise((resolve) => chat.once("data", resolve));
    chat.write(`turn ${turn}`);
    assert.equal(String(await heard), `turn ${turn}`);
  }
  const large = "y".repeat(5_000_000);
  const answer = await client.request(
    { ":path": "/", ":method": "POST" },
    [large],
  );
  assert.equal(answer.body.length, large.length);
  assert.ok(answer.body === large);
  assert.ok(held !== undefined);
  chat.close();
  stuck.close();
  await client.stop();
  await app.stop();
});

Deno.test("resets pass both ways with their codes", async () => {
  const cancelled = Promise.withResolvers<number>();
  const app = await NodeServer.start((stream, headers) => {
    stream.on("error", () => {});
    if (headers[":path"] === "/reset") return stream.close(11);
    stream.on("close", () => cancelled.resolve(stream.rstCode));
    stream.respond({ ":status": 200 });
    stream.write("begin");
  });
  const client = new NodeClient({ route: () => app, otherwise: app });
  assert.equal((await client.request({ ":path": "/reset" })).code, 11);
  const stream = client.session.request({ ":path": "/" });
  stream.on("error", () => {});
  await new Promise((resolve) => stream.once("data", resolve));
  stream.close(8);
  assert.equal(await cancelled.promise, 8);
  await client.stop();
  await app.stop();
});

Deno.test("more requests than the destination takes at once wait for their turn", async () => {
  let most = 0;
  let now = 0;
  const app = await NodeServer.start((stream) => {
    most = Math.max(most, ++now);
    setTimeout(() => {
      now--;
      stream.respond({ ":status": 204 }, { endStream: true });
    }, 5);
  }, { maxConcurrentStreams: 4 });
  const client = new NodeClient({ route: () => app, otherwise: app });
  await client.request({ ":path": "/" });
  const answers = await Promise.all(
    Array.from({ length: 40 }, () => client.request({ ":path": "/" })),
  );
  assert.ok(answers.every(({ headers }) => headers[":status"] === 204));
  assert.ok(most <= 4, `${most} at once`);
  await client.stop();
  await app.stop();
});

Deno.test("a destination that says goodbye, or breaks, is opened anew", async () => {
  const app = await NodeServer.start(echo("app"));
  const otherwise = new FakeDestination();
  const client = new NodeClient({ route: () => app, otherwise });
  await client.request({ ":path": "/" });
  app.goAway();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(
    (await client.request({ ":path": "/" })).headers[":status"],
    200,
  );
  assert.equal(app.opened, 2);
  app.breakOff();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(
    (await client.request({ ":path": "/" })).headers[":status"],
    200,
  );
  assert.equal(app.opened, 3);
  await client.stop();
  await app.stop();
});

Deno.test("an app that says goodbye has its clients told so, and who comes too late may ask elsewhere", async () => {
  const app = new FakeDestination();
  const client = new NodeClient({ route: () => app, otherwise: app });
  const goAway = new Promise((resolve) => client.session.on("goaway", resolve));
  const asked = client.request({ ":path": "/" });
  const { conn } = await app.accept();
  await conn.read(new Uint8Array(1000));
  await writeAll(conn, encodeFrame(frameType.settings, 0, 0, []));
  app.refusal = new RefusedError("refused", "it listens no more");
  const late = client.request({ ":path": "/late" });
  const last = [0, 0, 0, 1, 0, 0, 0, 0];
  await writeAll(conn, encodeFrame(frameType.goAway, 0, 0, last));
  assert.equal((await late).code, 7);
  assert.equal(await goAway, 0);
  await writeAll(conn, encodeFrame(frameType.headers, 5, 1, [0x88]));
  assert.equal((await asked).headers[":status"], 200);
  await client.stop();
});

Deno.test("a destination that breaks before it answers is 502, after it a reset", async () => {
  const app = new FakeDestination();
  const client = new NodeClient({ route: () => app, otherwise: app });
  for (const isBegun of [false, true]) {
    const asked = client.request({ ":path": "/" });
    const { conn } = await app.accept();
    await conn.read(new Uint8Array(1000));
    await writeAll(conn, encodeFrame(frameType.settings, 0, 0, []));
    if (isBegun) {
      await writeAll(conn, encodeFrame(frameType.headers, 4, 1, [0x88]));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    conn.reset();
    const { headers, code } = await asked;
    assert.equal(headers[":status"], isBegun ? 200 : 502);
    assert.equal(code, isBegun ? 2 : 0);
  }
  await client.stop();
});

Deno.test("refusals take the fallback with its mark, or are 502", async () => {
  const app = await NodeServer.start(echo("app"));
  const told: string[] = [];
  const open = () => Promise.reject(new RefusedError("refused", "nobody"));
  const laptop = {
    open,
    fallback: {
      destination: app,
      mark: ["X-Fallback", "refused"] as const,
      onFallback: (error: Error) => told.push(error.message),
    },
  };
  const client = new NodeClient({
    route: ({ target }) => target === "/none" ? { open } : laptop,
    otherwise: app,
  });
  const answer = await client.request(
    { ":path": "/", ":method": "POST" },
    ["x"],
  );
  assert.equal(answer.headers["x-fallback"], "refused");
  assert.equal(answer.body, "x");
  assert.deepEqual(told, ["nobody"]);
  const none = await client.request(
    { ":path": "/none", ":method": "POST" },
    ["x"],
  );
  assert.equal(none.headers[":status"], 502);
  await client.stop();
  await app.stop();
});

Deno.test("an HTTP/2 tap gets a copy of its requests, and holds nobody when it does not read", async () => {
  const copies: string[] = [];
  const done = Promise.withResolvers<void>();
  const app = await NodeServer.start(echo("app"));
  const tap = await NodeServer.start((stream, headers) => {
    stream.on("error", () => {});
    if (headers[":path"] === "/large") return;
    let text = "";
    stream.on("data", (chunk) => text += chunk);
    stream.on("end", () => {
      copies.push(`${headers[":path"]} ${text}`);
      stream.respond({ ":status": 500 });
      stream.end("ignored");
      done.resolve();
    });
  });
  const lost: string[] = [];
  const client = new NodeClient({
    route: () => ({ destination: app, taps: [tap] }),
    otherwise: app,
    onTapLost: (_, error) => lost.push(error.message),
  });
  const answer = await client.request(
    { ":path": "/small", ":method": "POST" },
    ["abc", "def"],
  );
  assert.equal(answer.body, "abcdef");
  assert.equal(answer.headers["x-server"], "app");
  await done.promise;
  assert.deepEqual(copies, ["/small abcdef"]);
  const large = "z".repeat(2_000_000);
  const second = await client.request(
    { ":path": "/large", ":method": "POST" },
    [large],
  );
  assert.equal(second.body.length, large.length);
  assert.equal(lost.length, 1);
  assert.match(lost[0]!, /keep up/);
  await client.stop();
  await app.stop();
  await tap.stop();
});
