/** Carriers by a way on which no session begins. */
import assert from "node:assert/strict";
import { FakeClock } from "../net/clock_fake.ts";
import { writeAll } from "../net/mod.ts";
import { FakeCarrier, type Fleet, openFleet } from "./carriers_fake.ts";
import {
  createIdentity,
  dialSession,
  type Session,
  UnknownSessionError,
} from "./mod.ts";
import { bytesOf, echo, pattern, readAll, until } from "./session_fake.ts";

/** A shortcut to where the fleet's carriers go. */
function shortcutOf({ hub, carriers, taken }: Fleet) {
  const shortcuts: FakeCarrier[] = [];
  const dial = () => {
    const one = new FakeCarrier();
    shortcuts.push(one);
    carriers.push(one);
    taken.push(
      hub.take(one.far, { isShortcut: true }).catch((error) => error),
    );
    return Promise.resolve(one.near);
  };
  return { shortcuts, dial };
}

function shortcutsOf(session: Session): number {
  return session.stats().carriers.filter((one) => one.isShortcut).length;
}

function plainOf(session: Session): number {
  return session.stats().carriers.filter((one) => !one.isShortcut).length;
}

/** Lets minutes pass, a second at a time: at each, both ends answer what they are asked. */
async function pass(clock: FakeClock, minutes: number): Promise<void> {
  for (let i = 0; i < minutes * 60; i++) {
    clock.advance(1_000);
    await new Promise((resolve) => setTimeout(resolve));
  }
}

Deno.test("streams are opened on a shortcut, move off it when it breaks, and go to the next one", async () => {
  await using fleet = await openFleet({ serve: echo });
  const { shortcuts, dial } = shortcutOf(fleet);
  fleet.dialer.shortcut(dial);
  await until(() => shortcutsOf(fleet.dialer) === 1);
  assert.equal(plainOf(fleet.dialer), 1);
  const near = await fleet.dialer.open(bytesOf("x"));
  const data = pattern(2_000_000);
  const plainBytes = fleet.carriers[0]!.carried;
  const first = data.subarray(0, 1_000_000);
  const echoed = readAll(near);
  await writeAll(near, first);
  await until(() => shortcuts[0]!.carried > 1_000_000);
  assert.ok(fleet.carriers[0]!.carried - plainBytes < 10_000);

  shortcuts[0]!.reset();
  await writeAll(near, data.subarray(1_000_000));
  await near.closeWrite();
  assert.deepEqual(await echoed, data);
  await until(() => shortcutsOf(fleet.dialer) > 0);
  assert.ok(shortcuts.length > 1);
});

Deno.test("streams that the acceptor opens go by the shortcut, too", async () => {
  await using fleet = await openFleet({ serveDialer: echo });
  const { shortcuts, dial } = shortcutOf(fleet);
  fleet.dialer.shortcut(dial);
  await until(() => shortcutsOf(fleet.acceptor) === 1);
  const far = await fleet.acceptor.open(bytesOf("y"));
  const data = pattern(1_000_000);
  const echoed = readAll(far);
  await writeAll(far, data);
  await far.closeWrite();
  assert.deepEqual(await echoed, data);
  assert.ok(shortcuts[0]!.carried > 2_000_000);
});

Deno.test("no session begins on a shortcut, and none is joined by another key", async () => {
  await using fleet = await openFleet({ serve: echo });
  const { dial } = shortcutOf(fleet);
  const identity = await createIdentity();
  await assert.rejects(async () => {
    const session = await dialSession({
      ...{ product: "tp/thief", identity, dial },
      limits: { graceMs: 0 },
    });
    const { reason, detail } = await session.ended;
    throw new Error(`${reason}: ${detail}`);
  }, /unknown-session/);
  assert.ok(await fleet.taken.at(-1) instanceof UnknownSessionError);
  assert.equal(fleet.hub.sessions.size, 1);
});

Deno.test("a shortcut that leads nowhere is tried less and less often, and troubles nobody", async () => {
  const clock = new FakeClock();
  const troubles: unknown[] = [];
  await using fleet = await openFleet({
    clock,
    serve: echo,
    dialOptions: { onTrouble: (trouble) => troubles.push(trouble) },
  });
  let attempts = 0;
  fleet.dialer.shortcut(() => {
    attempts++;
    return Promise.reject(new Error("nobody is there"));
  });
  await pass(clock, 15);
  assert.ok(attempts > 8 && attempts < 16, `${attempts} attempts`);
  assert.deepEqual(troubles, []);
  const near = await fleet.dialer.open(bytesOf("x"));
  near.close();
});

Deno.test("a session whose shortcut carries all is in no trouble; without it, it is", async () => {
  const clock = new FakeClock();
  const troubles: (Error | undefined)[] = [];
  await using fleet = await openFleet({
    clock,
    serve: echo,
    carrier(index) {
      if (index > 0) throw new Error("the API server is away");
      return new FakeCarrier();
    },
    dialOptions: { onTrouble: (trouble) => troubles.push(trouble) },
  });
  const { shortcuts, dial } = shortcutOf(fleet);
  fleet.dialer.shortcut(dial);
  await until(() => shortcutsOf(fleet.dialer) === 1);
  fleet.carriers[0]!.reset();
  await until(() => plainOf(fleet.dialer) === 0);
  clock.advance(1_000);
  await new Promise((resolve) => setTimeout(resolve));
  const near = await fleet.dialer.open(bytesOf("x"));
  assert.deepEqual(troubles, []);

  fleet.dialer.shortcut(undefined);
  shortcuts[0]!.reset();
  await until(() => {
    clock.advance(1_000);
    return troubles.length === 1;
  });
  assert.match(String(troubles[0]), /the API server is away/);
  near.reset();
});

Deno.test("shortcuts alone carry a session for a while, and no longer", async () => {
  const clock = new FakeClock();
  let isAway = false;
  await using fleet = await openFleet({
    clock,
    serve: echo,
    limits: { shortcutMs: 3 * 60_000 },
    carrier() {
      if (isAway) throw new Error("the API server is away");
      return new FakeCarrier();
    },
  });
  const { dial } = shortcutOf(fleet);
  fleet.dialer.shortcut(dial);
  await until(() => shortcutsOf(fleet.acceptor) === 1);
  const near = await fleet.dialer.open(bytesOf("x"));
  isAway = true;
  fleet.carriers[0]!.reset();
  await until(() => plainOf(fleet.acceptor) === 0);
  await pass(clock, 2);
  assert.equal(fleet.acceptor.stats().state, "connected");
  await near.write(bytesOf("here"));
  assert.equal(await near.read(new Uint8Array(9)), 4);

  await pass(clock, 1.5);
  assert.equal(fleet.acceptor.stats().state, "waiting");
  await pass(clock, 2);
  assert.equal(fleet.acceptor.stats().state, "waiting");

  isAway = false;
  await until(() => {
    clock.advance(1_000);
    return plainOf(fleet.acceptor) === 1;
  });
  await near.write(bytesOf("again"));
  assert.equal(await near.read(new Uint8Array(9)), 5);
  await until(() => {
    clock.advance(1_000);
    return shortcutsOf(fleet.acceptor) === 1;
  });
  near.reset();
});
