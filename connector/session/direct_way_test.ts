import assert from "node:assert/strict";
import type { DirectOffer } from "../../manager/api.ts";
import { connPair, RefusedError } from "../../net/mod.ts";
import type { Dial } from "../../tunnel/mod.ts";
import { DirectWay } from "./direct_way.ts";

const { signal } = new AbortController();

function offer(host: string): DirectOffer {
  const endpoint = { host, port: 7 };
  return { endpoint, name: "one.manager.invalid", certificate: "" };
}

/** A session that keeps the shortcuts it is given. */
function sessionOf() {
  const dials: (Dial | undefined)[] = [];
  return { dials, shortcut: (dial: Dial | undefined) => void dials.push(dial) };
}

function managerOf(...offers: DirectOffer[]) {
  return {
    async *direct() {
      yield* offers;
    },
  };
}

/** A way by which nobody is reached until `isOpen`, and the diallings of it. */
function wayOf({ isOpen = false }: { isOpen?: boolean } = {}) {
  const dialled: string[] = [];
  const state = { isOpen };
  const way = new DirectWay({
    dial: (_offer, { addresses }) => {
      dialled.push(addresses.join());
      if (state.isOpen) return Promise.resolve(connPair()[0]);
      return Promise.reject(new RefusedError("failed", "Nobody is there"));
    },
  });
  return { way, dialled, state };
}

Deno.test("DirectWay gives the session each shortcut that the manager tells", async () => {
  const session = sessionOf();
  const manager = managerOf(offer("192.0.2.1"), offer("192.0.2.2"));
  await new DirectWay().follow(session, { manager, signal });
  assert.equal(session.dials.length, 2);

  const none = sessionOf();
  await new DirectWay().follow(none, { manager: managerOf(), signal });
  assert.deepEqual(none.dials, []);
});

Deno.test("DirectWay has an endpoint's addresses kept out of the tunnel before it dials them, and keeps those of before", async () => {
  const { way, dialled } = wayOf({ isOpen: true });
  const session = sessionOf();
  const manager = managerOf(offer("192.0.2.1"), offer("192.0.2.2"));
  await way.follow(session, { manager, signal });
  const told: string[] = [];
  const release = Promise.withResolvers<void>();
  way.onChange(() => {
    told.push(way.addresses.join());
    return release.promise;
  });
  const [first, second] = session.dials;
  // Two at a time, as by two sessions: neither goes ahead.
  const dialling = [first!({ signal }), first!({ signal })];
  while (told.length === 0) await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(told, ["192.0.2.1"]);
  assert.deepEqual(dialled, []);
  release.resolve();
  await Promise.all(dialling);
  assert.deepEqual(dialled, ["192.0.2.1", "192.0.2.1"]);

  await second!({ signal });
  assert.deepEqual(told, ["192.0.2.1", "192.0.2.1,192.0.2.2"]);
});

Deno.test("DirectWay dials nobody whose addresses could not be kept out, and tries that again", async () => {
  const { way, dialled } = wayOf({ isOpen: true });
  const session = sessionOf();
  const manager = managerOf(offer("192.0.2.1"));
  await way.follow(session, { manager, signal });
  way.onChange(() => Promise.reject(new Error("no routes")));
  const [dial] = session.dials;
  await assert.rejects(dial!({ signal }), /no routes/);
  assert.deepEqual([way.addresses, dialled], [[], []]);
  way.onChange(() => Promise.resolve());
  await dial!({ signal });
  assert.deepEqual(dialled, ["192.0.2.1"]);
});

Deno.test("DirectWay tells why the endpoint was not reached, until it is", async () => {
  const { way, state } = wayOf();
  const session = sessionOf();
  assert.equal(way.status, undefined);
  const manager = managerOf(offer("192.0.2.1"));
  await way.follow(session, { manager, signal });
  const endpoint = "192.0.2.1:7";
  assert.deepEqual(way.status, { endpoint });
  const [dial] = session.dials;
  await assert.rejects(dial!({ signal }), RefusedError);
  assert.deepEqual(way.status, { endpoint, trouble: "Nobody is there" });
  state.isOpen = true;
  await dial!({ signal });
  assert.deepEqual(way.status, { endpoint });
});

Deno.test("DirectWay never dials this laptop itself", async () => {
  const { way, dialled } = wayOf();
  const session = sessionOf();
  const manager = managerOf(offer("127.0.0.1"));
  await way.follow(session, { manager, signal });
  await assert.rejects(session.dials[0]!({ signal }), { refusal: "forbidden" });
  assert.deepEqual([way.addresses, dialled], [[], []]);
});
