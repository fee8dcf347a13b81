import assert from "node:assert/strict";
import type { ConnectEvent, ConnectorStatus, ConnectRequest } from "./api.ts";
import { Making } from "./connection_fake.ts";
import { Connector } from "./connector.ts";

const managerNamespace = "ambassador";

/** A connector whose connections the test lets come about. */
function setUp() {
  const makings: Making[] = [];
  const connector = new Connector((request, options) => {
    const one = new Making(request, options);
    makings.push(one);
    return one.promise;
  });
  const ask = (method: string, path: string, body?: unknown) =>
    connector.answer(
      new Request(`http://127.0.0.1${path}`, {
        method,
        ...body === undefined ? {} : { body: JSON.stringify(body) },
      }),
    );
  let hasEnded = false;
  void connector.ended.then(() => hasEnded = true);
  return {
    ...{ connector, makings, ask },
    hasEnded: () => hasEnded,
    connect: async (request: Partial<ConnectRequest> = {}) =>
      new Asked(
        await ask("POST", "/connect", { managerNamespace, ...request }),
      ),
    status: async (): Promise<ConnectorStatus> =>
      (await ask("GET", "/status")).json(),
    quit: async (name?: string) =>
      await ask("POST", name ? `/quit?connection=${name}` : "/quit"),
  };
}

/** The same with two connections that stand, "first" and "second". */
async function setUpTwo() {
  const place = setUp();
  const { connect, makings } = place;
  const asked = [
    await connect({ name: "first" }),
    await connect({ name: "second" }),
  ];
  await tick();
  for (const one of makings) one.done();
  for (const one of asked) await one.next();
  return place;
}

/** A command that has asked to connect. */
class Asked {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #text = "";

  constructor(response: Response) {
    this.#reader = response.body!.getReader();
  }

  /** What is told next, in short. */
  async next(): Promise<string> {
    while (!this.#text.includes("\n")) {
      const { value, done } = await this.#reader.read();
      if (done) return "end";
      this.#text += new TextDecoder().decode(value);
    }
    const [line, ...rest] = this.#text.split("\n");
    this.#text = rest.join("\n");
    const event: ConnectEvent = JSON.parse(line!);
    if (event.event === "failed") {
      return `failed: ${event.failure.kind}${event.stands ? ", stands" : ""}`;
    }
    if (event.event === "progress") return event.text;
    if (event.event !== "connected") return event.event;
    const { name } = event.status.user_daemon;
    return `${event.already ? "already " : ""}connected: ${name}`;
  }

  /** The command is interrupted, or killed. */
  async leave(): Promise<void> {
    await this.#reader.cancel();
  }
}

const tick = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("who asks for a connection that is being made waits for it, and is told that it was there", async () => {
  const { connect, makings, status, quit, connector } = setUp();
  const first = await connect({ name: "first" });
  const [named, unnamed] = [await connect({ name: "first" }), await connect()];
  await tick();
  assert.equal(makings.length, 1);
  makings[0]!.tell("Connecting...");
  const { connections, idle } = await status();
  assert.deepEqual(connections, []);
  assert.equal(idle.user_daemon.status, "Connecting");
  makings[0]!.done();
  assert.equal(await first.next(), "Connecting...");
  assert.equal(await first.next(), "connected: first");
  assert.equal(await named.next(), "already connected: first");
  assert.equal(await unnamed.next(), "already connected: first");
  assert.equal(await named.next(), "end");
  await quit();
  await connector.ended;
});

Deno.test("who asks for a connection that is being made to another cluster is refused when it stands", async () => {
  const { connect, makings, hasEnded, quit } = setUp();
  const first = await connect({ name: "first", context: "a" });
  const second = await connect({ name: "first", context: "b" });
  await tick();
  makings[0]!.done();
  assert.equal(await first.next(), "connected: first");
  assert.equal(await second.next(), "failed: other-connection, stands");
  assert.equal(await second.next(), "end");
  await tick();
  assert.equal(hasEnded(), false);
  await quit();
});

Deno.test("all who wait for a connection are told why there is none; the connector ends, or holds the others", async () => {
  const { connect, makings, hasEnded, connector } = setUp();
  const waiting = [await connect({ name: "first" }), await connect()];
  const two = await connect({ name: "second" });
  await tick();
  makings[0]!.fail("no network");
  for (const one of waiting) {
    assert.equal(await one.next(), "failed: api-unreachable");
  }
  await tick();
  assert.equal(hasEnded(), false);
  makings[1]!.fail("no network");
  assert.equal(await two.next(), "failed: api-unreachable");
  await connector.ended;
});

Deno.test("the connector ends with the command that it connected for, when that is gone", async () => {
  const { connect, makings, connector } = setUp();
  const first = await connect({ name: "first" });
  const second = await connect({ name: "first" });
  await tick();
  await first.leave();
  assert.equal(await second.next(), "failed: called-off");
  await connector.ended;
  assert.match(makings[0]!.signal.reason.message, /that waited for it is gone/);
});

Deno.test("a command that is gone calls off what it asked for alone, while another connection stands or is being made", async () => {
  const { connect, makings, hasEnded, quit, status, connector } = setUp();
  const [one, two, three] = [
    await connect({ name: "first" }),
    await connect({ name: "second" }),
    await connect({ name: "third" }),
  ];
  await tick();
  makings[0]!.done();
  assert.equal(await one!.next(), "connected: first");
  await two!.leave();
  await tick();
  assert.deepEqual(makings.map(({ signal }) => signal.aborted), [
    ...[false, true, false],
  ]);
  makings[2]!.done();
  assert.equal(await three!.next(), "connected: third");
  const { connections } = await status();
  assert.deepEqual(connections.map(({ user_daemon }) => user_daemon.name), [
    ...["first", "third"],
  ]);
  assert.equal(hasEnded(), false);
  // Its name is free.
  const again = await connect({ name: "second" });
  await tick();
  makings[3]!.done();
  assert.equal(await again.next(), "connected: second");
  await quit();
  await connector.ended;
});

Deno.test("who has waited for another's connection and is gone does not call it off", async () => {
  const { connect, makings, quit } = setUp();
  const first = await connect({ name: "first" });
  const second = await connect({ name: "first" });
  await tick();
  await second.leave();
  await tick();
  assert.equal(makings[0]!.signal.aborted, false);
  makings[0]!.done();
  assert.equal(await first.next(), "connected: first");
  await quit();
});

Deno.test("tp quit ends one of two connections by its name, and the connector with the last", async () => {
  const { makings, quit, hasEnded, ask, connector } = await setUpTwo();
  assert.equal((await quit("third")).status, 409);
  assert.equal((await quit("second")).status, 200);
  assert.deepEqual(makings.map(({ isClosed }) => isClosed), [false, true]);
  await tick();
  assert.equal(hasEnded(), false);
  // The one that is left needs no name.
  assert.deepEqual(await (await ask("GET", "/list")).json(), {
    asked: "first",
  });
  await quit("first");
  await connector.ended;
  assert.equal(makings[0]!.isClosed, true);
});

Deno.test("who asks for a connection that is ending gets another when its name is free", async () => {
  const { connect, makings, quit, connector } = await setUpTwo();
  const { promise, resolve } = Promise.withResolvers<void>();
  makings[1]!.closing = promise;
  const quitting = quit("second");
  const again = await connect({ name: "second" });
  await tick();
  assert.equal(makings.length, 2);
  resolve();
  await quitting;
  await tick();
  makings[2]!.done();
  assert.equal(await again.next(), "connected: second");
  // The same where it is called off before it stands.
  const third = await connect({ name: "third" });
  await tick();
  await third.leave();
  const other = await connect({ name: "third" });
  await tick();
  makings[4]!.done();
  assert.equal(await other.next(), "connected: third");
  // Who gives no name is given one that stays.
  const first = Promise.withResolvers<void>();
  makings[0]!.closing = first.promise;
  const quittingFirst = quit("first");
  assert.equal(await (await connect()).next(), "already connected: second");
  first.resolve();
  await quittingFirst;
  await quit();
  await connector.ended;
});

Deno.test("tp quit without a name ends what stands and calls off what is being made; who waits is told", async () => {
  const { connect, makings, quit, connector, ask } = setUp();
  const one = await connect({ name: "first" });
  const two = await connect({ name: "second" });
  await tick();
  makings[0]!.done();
  assert.equal(await one.next(), "connected: first");
  const quitting = quit();
  assert.equal(await two.next(), "failed: called-off");
  await quitting;
  await connector.ended;
  assert.equal(makings[0]!.isClosed, true);
  const late = await ask("POST", "/connect", { managerNamespace });
  assert.equal(late.status, 503);
});

Deno.test("with two connections, a call says which is meant", async () => {
  const { quit, ask } = await setUpTwo();
  const answer = async (path: string) => (await ask("GET", path)).json();
  assert.deepEqual(await answer("/list?connection=second"), {
    asked: "second",
  });
  const { kind, cause } = await answer("/list");
  assert.equal(kind, "connection-ambiguous");
  assert.match(cause, /there are first, second$/);
  assert.equal(
    (await answer("/list?connection=x")).kind,
    "connection-unknown",
  );
  await quit();
});

Deno.test("tp leave asks the connection that has the intercept; which, must be said where several have one of that name", async () => {
  const { makings, quit, ask } = await setUpTwo();
  makings[0]!.intercepts.add("till");
  makings[1]!.intercepts.add("till").add("web");
  const leave = async (name: string, query = "") =>
    (await ask("POST", `/leave${query}`, { name })).json();
  assert.deepEqual(await leave("web"), { left: "second" });
  assert.deepEqual(await leave("web", "?connection=first"), { left: "first" });
  const { kind, cause } = await leave("till");
  assert.equal(kind, "connection-ambiguous");
  assert.match(cause, /^Cannot leave "till": connections first, second have/);
  // Any says that there is none.
  assert.deepEqual(await leave("none"), { left: "first" });
  await quit();
  assert.equal((await leave("web")).kind, "not-connected");
});

Deno.test("tp quit calls off the one that is named, and being made, and no other", async () => {
  const { connect, makings, quit, status, hasEnded, connector } = setUp();
  const first = await connect({ name: "first" });
  const second = await connect({ name: "second" });
  await tick();
  assert.deepEqual((await status()).connecting, ["first", "second"]);
  assert.equal((await quit("second")).status, 200);
  assert.equal(await second.next(), "failed: called-off");
  makings[0]!.done();
  assert.equal(await first.next(), "connected: first");
  assert.deepEqual((await status()).connecting, []);
  assert.equal(hasEnded(), false);
  await quit();
  await connector.ended;
});

Deno.test("all connections know the sessions of each other", async () => {
  const { connect, makings, quit } = setUp();
  await connect({ name: "first" });
  await connect({ name: "second" });
  await tick();
  assert.equal(makings[0]!.sessions, makings[1]!.sessions);
  await quit();
});

Deno.test("with the host's network all connections end", async () => {
  const { makings, connector } = await setUpTwo();
  makings[1]!.end();
  await connector.ended;
  assert.deepEqual(makings.map(({ isClosed }) => isClosed), [true, true]);
});
