import assert from "node:assert/strict";
import { Hosts } from "./hosts.ts";
import type {
  HostNetwork,
  HostNetworkOptions,
} from "./network/host_network.ts";

/** Hosts whose opening and closing the test lets happen. */
function setUp() {
  const done: string[] = [];
  const opening: PromiseWithResolvers<HostNetwork>[] = [];
  const hosts = new Hosts(() => {
    const one = Promise.withResolvers<HostNetwork>();
    opening.push(one);
    return one.promise;
  });
  const network = (name: string) => {
    const host = {
      [Symbol.asyncDispose]: () => {
        done.push(`${name} closed`);
        return Promise.resolve();
      },
    };
    return host as unknown as HostNetwork;
  };
  return { done, opening, hosts, network };
}

const { signal } = new AbortController();
const options: HostNetworkOptions = { signal, tell: () => {} };
const tick = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("Hosts opens the host's network once, and closes it after the last", async () => {
  const { done, opening, hosts, network } = setUp();
  const both = [hosts.use(options), hosts.use(options)];
  await tick();
  assert.equal(opening.length, 1);
  opening[0]!.resolve(network("one"));
  const [first, second] = await Promise.all(both);
  assert.equal(first!.host, second!.host);
  await first![Symbol.asyncDispose]();
  assert.deepEqual(done, []);
  await second![Symbol.asyncDispose]();
  assert.deepEqual(done, ["one closed"]);
  const third = hosts.use(options);
  await tick();
  opening[1]!.resolve(network("two"));
  assert.notEqual((await third).host, first!.host);
});

Deno.test("who waits for another to open the host's network, which fails, opens it", async () => {
  const { opening, hosts, network } = setUp();
  const first = hosts.use(options);
  const second = hosts.use(options);
  const failed = assert.rejects(first, /called off/);
  await tick();
  opening[0]!.reject(new Error("called off"));
  await failed;
  await tick();
  assert.equal(opening.length, 2);
  opening[1]!.resolve(network("two"));
  assert.ok((await second).host);
});

Deno.test("who is called off while another opens the host's network does not open it", async () => {
  const { opening, hosts } = setUp();
  const abort = new AbortController();
  const first = hosts.use(options);
  const second = hosts.use({ ...options, signal: abort.signal });
  const failed = [
    assert.rejects(first, /no password/),
    assert.rejects(second, /enough/),
  ];
  await tick();
  abort.abort(new Error("enough"));
  opening[0]!.reject(new Error("no password"));
  await Promise.all(failed);
  assert.equal(opening.length, 1);
});

Deno.test("who comes as the last one goes waits until the host's network is closed", async () => {
  const closed = Promise.withResolvers<void>();
  const opened: string[] = [];
  const hosts = new Hosts(() => {
    opened.push(`${opened.length + 1}`);
    const host = { [Symbol.asyncDispose]: () => closed.promise };
    return Promise.resolve(host as unknown as HostNetwork);
  });
  const first = await hosts.use(options);
  const second = hosts.use(options);
  const leaving = first[Symbol.asyncDispose]();
  await tick();
  assert.deepEqual(opened, ["1"]);
  closed.resolve();
  await leaving;
  await second;
  assert.deepEqual(opened, ["1", "2"]);
});
