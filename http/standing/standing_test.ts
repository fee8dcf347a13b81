import assert from "node:assert/strict";
import { connPair } from "../../net/conn_fake.ts";
import { type Conn, writeAll } from "../../net/mod.ts";
import { Standing } from "./standing.ts";

const requestOf = (number: number) =>
  `POST /${number} HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody`;
const answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

function open() {
  const [client, fromClient] = connPair();
  const [toApp, app] = connPair();
  const standing = new Standing(fromClient, toApp);
  return { client, app, standing, end: standing.run() };
}

function write(conn: Conn, text: string): Promise<void> {
  return writeAll(conn, new TextEncoder().encode(text));
}

/** What comes within a moment. */
async function hear(conn: Conn): Promise<string> {
  const buffer = new Uint8Array(64 * 1024);
  const read = await conn.read(buffer);
  await moment();
  return new TextDecoder().decode(buffer.subarray(0, read ?? 0));
}

function moment(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

/** A client that has sent one request and the half of another, and then all of it and two more; requests are wanted. */
async function openHeld() {
  const place = open();
  const { client, app, standing } = place;
  const [one, two, three] = [requestOf(1), requestOf(2), requestOf(3)];
  await write(client, requestOf(0) + one.slice(0, 40));
  assert.equal(await hear(app), requestOf(0) + one.slice(0, 40));
  standing.areRequestsWanted = true;
  await write(client, one.slice(40) + two + three);
  assert.equal(await hear(app), one.slice(40));
  return { ...place, kept: two + three };
}

Deno.test("Standing keeps requests back until those before them are answered, and hands them over whole", async () => {
  const { client, app, end, kept } = await openHeld();
  await write(app, answer);
  assert.equal(await hear(client), answer);
  await write(client, requestOf(4));
  await write(app, answer);
  assert.equal(await hear(client), answer);
  const handed = await end;
  assert.ok(typeof handed === "object");
  assert.equal(await hear(handed.client), kept);
  assert.equal(await hear(handed.client), requestOf(4));
  await write(handed.app, requestOf(2));
  assert.equal(await hear(app), requestOf(2));
  client.reset();
  app.reset();
});

Deno.test("what Standing keeps back goes on to the app when that is right again", async () => {
  const { client, app, standing, end, kept } = await openHeld();
  standing.areRequestsWanted = false;
  assert.equal(await hear(app), kept);
  client.reset();
  assert.equal(await end, "broken");
});

Deno.test("what Standing keeps back goes on to the app that speaks something else from here on", async () => {
  const { client, app, end, kept } = await openHeld();
  await write(app, "HTTP/1.1 101 Switching Protocols\r\n\r\n");
  assert.equal(await hear(app), kept);
  app.reset();
  assert.equal(await end, "broken");
  client.reset();
});

for (const way of ["closeWrite", "reset"] as const) {
  Deno.test(`an app that ends (${way}) ends what Standing keeps back`, async () => {
    const { client, app, end, kept } = await openHeld();
    await app[way]();
    if (way === "closeWrite") {
      assert.equal(await hear(app), kept);
      await client.closeWrite();
    }
    assert.equal(await end, way === "reset" ? "broken" : "ended");
    client.reset();
    app.reset();
  });
}

/** Reads requests, each of which must be the one after the one before, and answers one in each turn. */
class Server {
  readonly #conn: Conn;
  readonly #progress: { asked: number };
  readonly serving: Promise<void>;

  constructor(conn: Conn, progress: { asked: number }) {
    this.#conn = conn;
    this.#progress = progress;
    this.serving = this.#serve();
  }

  async #serve(): Promise<void> {
    const buffer = new Uint8Array(1024);
    for (let text = "";;) {
      const read = await this.#conn.read(buffer).catch(() => null);
      if (read === null) return assert.equal(text, "");
      text += new TextDecoder().decode(buffer.subarray(0, read));
      for (;;) {
        const next = requestOf(this.#progress.asked);
        if (!text.startsWith(next)) break;
        text = text.slice(next.length);
        this.#progress.asked++;
        await new Promise((resolve) => setTimeout(resolve));
        await write(this.#conn, answer);
      }
    }
  }
}

Deno.test("a client that always has requests under way is handed over, and none is lost", async () => {
  const { client, app, standing, end } = open();
  const progress = { asked: 0 };
  let [sent, answered, cut] = [0, 0, 0];
  let isOver = false;
  let text = "";
  /** Eight at once, in pieces that heed no message. */
  const send = async () => {
    while (!isOver && sent - answered < 8) text += requestOf(sent++);
    while (text.length > 100 || isOver && text !== "") {
      const piece = text.slice(0, 1 + (cut += 7) % 90);
      text = text.slice(piece.length);
      await write(client, piece);
    }
  };
  const asking = (async () => {
    await send();
    const buffer = new Uint8Array(1024);
    for (let octets = 0; !isOver || answered < sent;) {
      octets += await client.read(buffer) ?? assert.fail();
      answered = Math.floor(octets / answer.length);
      await send();
    }
  })();
  const former = new Server(app, progress);
  while (answered < 20) await moment();
  standing.areRequestsWanted = true;
  const handed = await end;
  assert.ok(typeof handed === "object");
  const byApp = progress.asked;
  const further = new Server(handed.client, progress);
  while (answered < byApp + 20) await moment();
  isOver = true;
  await asking;
  // deno-lint-ignore no-console
  console.log({ sent, byApp, further: progress.asked - byApp, answered });
  assert.equal(progress.asked, sent);
  for (const conn of [client, app, handed.client, handed.app]) conn.reset();
  await Promise.all([former.serving, further.serving]);
});
