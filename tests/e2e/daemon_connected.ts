/** Tests of the daemon on a host of their own. */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { type Child, Namespace, userId } from "./daemon_namespace.ts";

export const subnets = "198.18.0.0/29,fd00:7470::/64";
export const nameserver = "198.18.0.3";

/** A daemon and a connector that holds a device, a route of each family and the resolver. */
export interface Connected {
  host: Namespace;
  daemon: Child;
  connector: Child;
  before: string[];
}

/** A test with a host of its own. */
export function hostTest(
  name: string,
  run: (host: Namespace) => Promise<void>,
): void {
  Deno.test({
    name: `daemon: ${name}`,
    ignore: Deno.build.os !== "linux" || Deno.uid() !== 0,
    fn: async () => {
      await using host = await Namespace.open();
      await run(host);
    },
  });
}

/** A test on a host where a connector holds a device, routes and the resolver. */
export function connectedTest(
  name: string,
  run: (connected: Connected) => Promise<void>,
): void {
  hostTest(name, async (host) => {
    await using _server = await host.nameserver();
    const before = await host.state();
    await using daemon = await host.daemon(userId);
    await using connector = host.connector();
    await connect(connector);
    await run({ host, daemon, connector, before });
  });
}

/** Has the connector open the device, set a route of each family, and the resolver. */
export async function connect(connector: Child): Promise<void> {
  assert.equal(await connector.line(), "ready");
  assert.equal(await connector.ask(`open ${subnets}`), "device tp0");
  assert.equal(await connector.ask("route 10.96.0.0/12"), "done");
  assert.equal(await connector.ask("route fd10::/108"), "done");
  assert.equal(await connector.ask(`resolver ${nameserver}`), "done");
}

/** Polls until `state` gives `wanted`; fails, showing the last one, after `timeoutMs`. */
export async function eventually<T>(
  state: () => Promise<T>,
  wanted: T,
  timeoutMs = 2_000,
): Promise<void> {
  for (const start = performance.now();;) {
    const found = await state();
    if (isDeepStrictEqual(found, wanted)) return;
    if (performance.now() - start > timeoutMs) assert.deepEqual(found, wanted);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Whether the host's resolver asks ours first. */
export const isOurs = (host: Namespace) => async () =>
  (await host.sh("cat /etc/resolv.conf")).includes(nameserver);

export async function guardPid(host: Namespace): Promise<number> {
  const journal = await host.sh("cat /run/tp/journal");
  return Number(/^guard (\d+)/m.exec(journal)![1]);
}
