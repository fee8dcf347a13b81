/** A session outlives its carriers: what was written arrives once and in order. */
import assert from "node:assert/strict";
import { type Conn, ConnResetError, writeAll } from "../net/mod.ts";
import { openFleet } from "./carriers_fake.ts";
import type { Incoming } from "./mod.ts";
import { bytesOf, echo, pattern, readAll, until } from "./session_fake.ts";

function keeper() {
  const conns: Conn[] = [];
  return {
    conns,
    serve: (incoming: Incoming) => void conns.push(incoming.accept()),
  };
}

Deno.test("streams of both ends go on when their carrier breaks, with every byte", async () => {
  const { conns, serve } = keeper();
  await using fleet = await openFleet({ serve, serveDialer: echo });
  const near = await fleet.dialer.open(bytesOf("x"));
  const own = await fleet.acceptor.open(bytesOf("y"));
  const data = pattern(3_000_000);
  const writing = writeAll(near, data).then(() => near.closeWrite());
  const echoing = writeAll(own, data).then(() => own.closeWrite());
  const echoed = readAll(own);
  const far = conns[0]!;
  await far.read(new Uint8Array(10));
  fleet.carriers[0]!.reset();
  const rest = await readAll(far);
  assert.deepEqual(rest, data.subarray(10));
  await writing;
  await far.closeWrite();
  assert.equal(await near.read(new Uint8Array(1)), null);
  assert.deepEqual(await echoed, data);
  await echoing;
  await until(() => fleet.dialer.stats().streams === 0);
  await until(() => fleet.acceptor.stats().streams === 0);
  assert.equal(fleet.dialer.stats().keptBytes, 0);
  assert.equal(fleet.dialer.stats().moves, 1);
});

Deno.test("an idle stream and one that waits for its answer move", async () => {
  const arrivals: Incoming[] = [];
  await using fleet = await openFleet({
    serve: (incoming) => void arrivals.push(incoming),
  });
  const opening = fleet.dialer.open(bytesOf("slow"));
  await until(() => arrivals.length === 1);
  fleet.carriers[0]!.reset();
  await until(() => fleet.dialer.stats().moves === 1);
  const far = arrivals[0]!.accept();
  const near = await opening;
  fleet.carriers[1]!.reset();
  await until(() => fleet.dialer.stats().moves === 2);
  await near.write(bytesOf("hello"));
  const buffer = new Uint8Array(10);
  assert.equal(await far.read(buffer), 5);
  assert.equal(arrivals.length, 1);
  near.reset();
  await assert.rejects(far.read(buffer), ConnResetError);
});
