import assert from "node:assert/strict";
import { FakeNameserver, type Handle } from "../dns/nameserver_fake.ts";
import { FakeClock } from "../net/clock_fake.ts";
import { Ip } from "../net/mod.ts";
import { soon } from "../net/soon_fake.ts";
import { ClusterDns } from "./cluster_dns.ts";

/** An id, the rest of a header, and what tells it from others. */
export const query = new Uint8Array([0xab, 0xcd, ...Array(10).fill(0), 7]);
export const addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.3"] as const;
/** Nobody has the port at its address. */
export const nobody = undefined;

export interface NameserversPlace extends AsyncDisposable {
  readonly clock: FakeClock;
  /** Asks the query, or another, until `off` aborts. */
  ask(off?: AbortController, bytes?: Uint8Array): Promise<Uint8Array>;
  /** At the positions of those that are there. */
  readonly servers: readonly FakeNameserver[];
}

/** A cluster whose nameservers, in this order, answer so. */
export async function openPlace(
  handles: readonly (Handle | undefined)[],
  { at = addresses as readonly string[] } = {},
): Promise<NameserversPlace> {
  await using stack = new AsyncDisposableStack();
  const servers: FakeNameserver[] = [];
  let port = 0;
  for (const [i, handle] of handles.entries()) {
    if (handle === nobody) continue;
    const place = { address: at[i]!, port };
    servers[i] = stack.use(await FakeNameserver.start(handle, place));
    ({ port } = servers[i]);
  }
  const clock = new FakeClock();
  const [first, ...others] = at.slice(0, handles.length).map(Ip.parse);
  const dns = new ClusterDns({ nameservers: [first!, ...others], port, clock });
  const open = stack.move();
  return {
    ...{ clock, servers },
    ask: (off = new AbortController(), bytes = query) =>
      soon("what ClusterDns says", dns.ask(bytes, off)),
    async [Symbol.asyncDispose]() {
      await open.disposeAsync();
      assert.equal(clock.waiting, 0, "timers are left");
    },
  };
}
