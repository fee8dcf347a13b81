import assert from "node:assert/strict";
import { type Datagrams, Ip, RefusedError } from "../net/mod.ts";
import { UdpPeer } from "../tcp/udp_peer_fake.ts";
import type { Incoming, Session } from "../tunnel/mod.ts";
import { openManager } from "./client.ts";
import {
  forbiddenIp,
  loopback,
  openServicePlace,
  refusedAs,
} from "./service_fake.ts";
import { decodeTarget, type Target } from "./target.ts";

const source = { ip: Ip.parse("198.18.0.1"), port: 40_000 };
const into = new Uint8Array(65_527);

async function received(flow: Datagrams): Promise<string> {
  const length = await flow.receive(into);
  return new TextDecoder().decode(into.subarray(0, length ?? 0));
}

function say(flow: Datagrams, text: string): void {
  assert.ok(flow.send(new TextEncoder().encode(text)));
}

Deno.test("UdpFlows joins a stream with a UDP socket", async () => {
  await using laptop = await openServicePlace();
  await using app = await UdpPeer.open();
  const flow = await laptop.manager.dialDatagrams(loopback, app.port);
  for (const length of [0, 1, 1400, 9000]) {
    const text = "x".repeat(length);
    say(flow, text);
    const { text: heard, port } = await app.next();
    assert.equal(heard, text);
    await app.send(`${text}!`, port);
    assert.equal(await received(flow), `${text}!`);
  }
  flow.close();
});

Deno.test("UdpFlows tells that nobody has a UDP port, once something was sent there", async () => {
  await using laptop = await openServicePlace();
  const flow = await laptop.manager.dialDatagrams(loopback, 9);
  const received = flow.receive(new Uint8Array(1));
  flow.send(new Uint8Array(1));
  await assert.rejects(received, refusedAs("refused"));
});

Deno.test("UdpFlows has those of one source leave by one port, and brings who else sends to it", async () => {
  const brought = Promise.withResolvers<Incoming>();
  await using laptop = await openServicePlace({ serve: brought.resolve });
  await using first = await UdpPeer.open();
  await using second = await UdpPeer.open();
  await using stranger = await UdpPeer.open();
  await using forbidden = await UdpPeer.open(String(forbiddenIp));
  const flows = await Promise.all([first, second].map(async ({ port }) => {
    const flow = await laptop.manager.dialDatagrams(loopback, port, { source });
    say(flow, "a");
    return flow;
  }));
  const heard = [await first.next(), await second.next()];
  const { port } = heard[0]!;
  assert.deepEqual(heard, Array(2).fill({ text: "a", port }));
  await forbidden.send("not for laptops", port);
  await stranger.send("from elsewhere", port);
  const incoming = await brought.promise;
  assert.deepEqual(decodeTarget(incoming.target), {
    ...{ kind: "udp", ip: loopback, port: stranger.port, source },
  });
  const flow = incoming.acceptDatagrams();
  assert.equal(await received(flow), "from elsewhere");
  say(flow, "back");
  assert.deepEqual(await stranger.next(), { text: "back", port });
  for (const one of [...flows, flow]) one.close();
});

Deno.test("a manager that knows no sources is asked without", async () => {
  const asked: Target[] = [];
  const flow = {} as Datagrams;
  const manager = openManager({
    openDatagrams: (bytes: Uint8Array) => {
      const target = decodeTarget(bytes)!;
      asked.push(target);
      return target.kind === "udp" && target.source
        ? Promise.reject(new RefusedError("unknown-target", "a test"))
        : Promise.resolve(flow);
    },
  } as unknown as Session);
  const to = { kind: "udp", ip: loopback, port: 69 } as const;
  for (let i = 0; i < 2; i++) {
    assert.equal(await manager.dialDatagrams(loopback, 69, { source }), flow);
  }
  assert.deepEqual(asked, [{ ...to, source }, to, to]);
});

Deno.test("who asks DNS does so without a source", async () => {
  await using laptop = await openServicePlace();
  const targets: (Target | undefined)[] = [];
  const manager = openManager({
    openDatagrams: (bytes: Uint8Array, options?: { signal?: AbortSignal }) => {
      targets.push(decodeTarget(bytes));
      return laptop.session.openDatagrams(bytes, options);
    },
  } as unknown as Session);
  const flow = await manager.dialDatagrams(loopback, 53, { source });
  flow.close();
  assert.deepEqual(targets, [{ kind: "udp", ip: loopback, port: 53 }]);
});
