import assert from "node:assert/strict";
import {
  type Conn,
  ConnResetError,
  RefusedError,
  writeAll,
} from "../net/mod.ts";
import {
  bytesOf,
  echo,
  openPair,
  pattern,
  readAll,
  textOf,
  until,
} from "./session_fake.ts";
import type { Incoming } from "./mod.ts";

/** A serve that keeps what it accepted. */
function keeper() {
  const conns: Conn[] = [];
  return {
    conns,
    serve: (incoming: Incoming) => void conns.push(incoming.accept()),
  };
}

Deno.test("a stream carries bytes both ways and ends each way apart", async () => {
  await using pair = await openPair({
    async serve(incoming) {
      const conn = incoming.accept();
      const question = await readAll(conn);
      await writeAll(conn, bytesOf(`${question.length} bytes`));
      await conn.closeWrite();
    },
  });
  const conn = await pair.dialer.open(bytesOf("count"));
  await writeAll(conn, new Uint8Array(3_000_000));
  await conn.closeWrite();
  assert.equal(textOf(await readAll(conn)), "3000000 bytes");
  await until(() => pair.dialer.stats().streams === 0);
  await until(() => pair.acceptor.stats().streams === 0);
  assert.equal(pair.dialer.stats().promisedBytes, 0);
  assert.equal(pair.acceptor.stats().promisedBytes, 0);
});

Deno.test("the target arrives as it was sent, and either end may open", async () => {
  const targets: string[] = [];
  const serve = (incoming: Incoming) => {
    targets.push(textOf(incoming.target));
    echo(incoming);
  };
  await using pair = await openPair({ serve, serveDialer: serve });
  for (const session of [pair.dialer, pair.acceptor]) {
    const conn = await session.open(bytesOf("10.0.0.1:80"));
    await writeAll(conn, pattern(100_000));
    await conn.closeWrite();
    assert.deepEqual(await readAll(conn), pattern(100_000));
  }
  assert.deepEqual(targets, ["10.0.0.1:80", "10.0.0.1:80"]);
});

Deno.test("open() rejects with the refusal and detail of the peer", async () => {
  await using pair = await openPair({
    serve: (incoming) => incoming.refuse("unreachable", "no route\u0007"),
  });
  await assert.rejects(pair.dialer.open(bytesOf("x")), (error) => {
    assert.ok(error instanceof RefusedError);
    assert.equal(error.refusal, "unreachable");
    assert.equal(error.message, "no route ");
    return true;
  });
  assert.equal(pair.dialer.stats().streams, 0);
});

Deno.test("open() is refused when serve throws or is not given", async () => {
  await using pair = await openPair({
    serve() {
      throw new Error("out of ports");
    },
  });
  await assert.rejects(pair.dialer.open(bytesOf("x")), {
    refusal: "failed",
    message: "out of ports",
  });
  await assert.rejects(pair.acceptor.open(bytesOf("x")), {
    refusal: "unknown-target",
  });
});

Deno.test("open() that is aborted cancels the peer's dial", async () => {
  const arrivals: Incoming[] = [];
  await using pair = await openPair({
    serve: (incoming) => void arrivals.push(incoming),
  });
  const abort = new AbortController();
  const opening = pair.dialer.open(bytesOf("x"), { signal: abort.signal });
  await until(() => arrivals.length === 1);
  const { signal } = arrivals[0]!;
  assert.equal(signal.aborted, false);
  abort.abort(new Error("the app left"));
  await assert.rejects(opening, { message: "the app left" });
  await until(() => signal.aborted);
  const late = arrivals[0]!.accept();
  await assert.rejects(late.read(new Uint8Array(1)), ConnResetError);
  await until(() => pair.dialer.stats().streams === 0);
  assert.equal(pair.acceptor.stats().promisedBytes, 0);
  assert.equal(pair.dialer.stats().promisedBytes, 0);
});

Deno.test("open() that is aborted before it is sent leaves no trace", async () => {
  const arrivals: Incoming[] = [];
  await using pair = await openPair({
    serve: (incoming) => {
      arrivals.push(incoming);
      echo(incoming);
    },
  });
  const abort = new AbortController();
  const opening = pair.dialer.open(bytesOf("x"), { signal: abort.signal });
  abort.abort();
  await assert.rejects(opening, { name: "AbortError" });
  assert.equal(pair.dialer.stats().streams, 0);
  const conn = await pair.dialer.open(bytesOf("y"));
  assert.deepEqual(arrivals.map((one) => textOf(one.target)), ["y"]);
  conn.reset();
});

Deno.test("reset() rejects the peer's reads and writes", async () => {
  const { conns, serve } = keeper();
  await using pair = await openPair({ serve });
  const conn = await pair.dialer.open(bytesOf("x"));
  const reading = assert.rejects(
    conns[0]!.read(new Uint8Array(1)),
    ConnResetError,
  );
  conn.reset();
  await reading;
  await assert.rejects(conns[0]!.write(new Uint8Array(1)), ConnResetError);
  await assert.rejects(conn.read(new Uint8Array(1)), ConnResetError);
  assert.equal(pair.acceptor.stats().streams, 0);
  assert.equal(pair.dialer.stats().streams, 0);
});

Deno.test("close() delivers what was written, then stops the peer's writing", async () => {
  const { conns, serve } = keeper();
  await using pair = await openPair({ serve });
  const conn = await pair.dialer.open(bytesOf("x"));
  await writeAll(conn, pattern(200_000));
  conn.close();
  const far = conns[0]!;
  await until(() => pair.dialer.stats().streams === 0);
  await assert.rejects(
    writeAll(far, new Uint8Array(8_000_000)),
    ConnResetError,
  );
  assert.deepEqual(await readAll(far), pattern(200_000));
  assert.equal(pair.acceptor.stats().streams, 0);
});

Deno.test("close() after both ends is clean", async () => {
  const { conns, serve } = keeper();
  await using pair = await openPair({ serve });
  const conn = await pair.dialer.open(bytesOf("x"));
  await conn.closeWrite();
  assert.equal(await conns[0]!.read(new Uint8Array(1)), null);
  await conns[0]!.closeWrite();
  assert.equal(await conn.read(new Uint8Array(1)), null);
  conn.close();
  conns[0]!.close();
  await until(() => pair.dialer.stats().streams === 0);
  await until(() => pair.acceptor.stats().streams === 0);
});

Deno.test("a second read or write at a time is rejected", async () => {
  await using pair = await openPair({ serve: (one) => void one.accept() });
  const conn = await pair.dialer.open(bytesOf("x"));
  const reading = assert.rejects(conn.read(new Uint8Array(1)), ConnResetError);
  await assert.rejects(conn.read(new Uint8Array(1)), TypeError);
  const writing = assert.rejects(
    conn.write(new Uint8Array(20_000_000)),
    ConnResetError,
  );
  await assert.rejects(conn.write(new Uint8Array(1)), TypeError);
  conn.reset();
  await Promise.all([reading, writing]);
});

Deno.test("a slow reader stalls only itself, and holds no more than its window", async () => {
  const { conns, serve } = keeper();
  const windowBytes = 128 * 1024;
  await using pair = await openPair({
    serve,
    limits: { windowBytes, maxWindowBytes: windowBytes },
  });
  const slow = await pair.dialer.open(bytesOf("slow"));
  const quick = await pair.dialer.open(bytesOf("quick"));
  const data = pattern(1_000_000);
  let slowIsDone = false;
  const slowly = writeAll(slow, data).then(() => {
    slowIsDone = true;
    return slow.closeWrite();
  });
  const quickly = writeAll(quick, data).then(() => quick.closeWrite());
  assert.deepEqual(await readAll(conns[1]!), data);
  await quickly;
  assert.equal(slowIsDone, false);
  assert.equal(pair.acceptor.stats().unreadBytes, windowBytes);
  assert.deepEqual(await readAll(conns[0]!, 1000), data);
  await slowly;
  slow.close();
  quick.close();
});

Deno.test("two thousand streams at once carry their own bytes", async () => {
  await using pair = await openPair({ serve: echo });
  await Promise.all(Array.from({ length: 2000 }, async (_, i) => {
    const conn = await pair.dialer.open(bytesOf(`${i}`));
    const data = pattern(1000 + i, i);
    const writing = writeAll(conn, data).then(() => conn.closeWrite());
    assert.deepEqual(await readAll(conn, 4096), data);
    await writing;
  }));
  await until(() => pair.acceptor.stats().streams === 0);
  assert.equal(pair.dialer.stats().streams, 0);
  assert.equal(pair.dialer.stats().promisedBytes, 0);
});

Deno.test("open() above the peer's limit is refused as overloaded", async () => {
  const { conns, serve } = keeper();
  await using pair = await openPair({ serve, limits: { streams: 2 } });
  const first = await pair.dialer.open(bytesOf("1"));
  await pair.dialer.open(bytesOf("2"));
  await assert.rejects(pair.dialer.open(bytesOf("3")), {
    refusal: "overloaded",
  });
  first.reset();
  await until(() => pair.dialer.stats().streams === 1);
  await pair.dialer.open(bytesOf("4"));
  assert.equal(conns.length, 3);
});

Deno.test("streams above the limit of unanswered ones are refused as overloaded", async () => {
  const arrivals: Incoming[] = [];
  await using pair = await openPair({
    serve: (incoming) => void arrivals.push(incoming),
    limits: { unanswered: 1 },
  });
  const first = pair.dialer.open(bytesOf("1"));
  await assert.rejects(pair.dialer.open(bytesOf("2")), {
    refusal: "overloaded",
  });
  arrivals[0]!.accept();
  await first;
  const third = pair.dialer.open(bytesOf("3"));
  await until(() => arrivals.length === 2);
  arrivals[1]!.accept();
  await third;
});

Deno.test("a stream that was cancelled does not count as unanswered", async () => {
  const arrivals: Incoming[] = [];
  await using pair = await openPair({
    serve: (incoming) => void arrivals.push(incoming),
    limits: { unanswered: 1 },
  });
  for (let i = 0; i < 3; i++) {
    const abort = new AbortController();
    const opening = pair.dialer.open(bytesOf("x"), { signal: abort.signal });
    await until(() => arrivals.length === i + 1);
    abort.abort();
    await assert.rejects(opening, { name: "AbortError" });
    await until(() => arrivals[i]!.signal.aborted);
  }
});

Deno.test("a small write overtakes the bulk of others", async () => {
  const { conns, serve } = keeper();
  await using pair = await openPair({ serve });
  const bulk = await Promise.all(
    Array.from({ length: 8 }, (_, i) => pair.dialer.open(bytesOf(`${i}`))),
  );
  const small = await pair.dialer.open(bytesOf("small"));
  const writes = bulk.map((conn) => writeAll(conn, new Uint8Array(1_000_000)));
  await conns[0]!.read(new Uint8Array(1));
  const before = pair.acceptor.stats().bytesReceived;
  await small.write(bytesOf("hello"));
  await conns[8]!.read(new Uint8Array(5));
  const between = pair.acceptor.stats().bytesReceived - before;
  assert.ok(between < 600_000, `${between} bytes came before the small write`);
  await Promise.all(writes);
});

Deno.test("close() ends both sessions and breaks their streams off", async () => {
  const { conns, serve } = keeper();
  await using pair = await openPair({ serve });
  const conn = await pair.dialer.open(bytesOf("x"));
  pair.dialer.close();
  await assert.rejects(conn.read(new Uint8Array(1)), ConnResetError);
  await assert.rejects(conns[0]!.read(new Uint8Array(1)), ConnResetError);
  assert.equal((await pair.dialer.ended).reason, "closed");
  assert.equal((await pair.acceptor.ended).reason, "peer-closed");
  await assert.rejects(pair.dialer.open(bytesOf("x")), { refusal: "gone" });
  await assert.rejects(pair.acceptor.open(bytesOf("x")), { refusal: "gone" });
});

Deno.test("what was received up to its end stays readable when the session ends", async () => {
  const { conns, serve } = keeper();
  await using pair = await openPair({ serve });
  const conn = await pair.dialer.open(bytesOf("x"));
  await writeAll(conn, pattern(50_000));
  await conn.closeWrite();
  await until(() => pair.acceptor.stats().unreadBytes === 50_000);
  pair.dialer.close();
  await pair.acceptor.ended;
  assert.deepEqual(await readAll(conns[0]!), pattern(50_000));
  assert.equal(pair.acceptor.stats().promisedBytes, 0);
});
