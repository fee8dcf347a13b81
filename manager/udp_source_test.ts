import assert from "node:assert/strict";
import { FakeClock } from "../net/clock_fake.ts";
import { type Datagrams, type Endpoint, Ip, RefusedError } from "../net/mod.ts";
import type { UdpDatagrams } from "../tcp/mod.ts";
import { UdpPeer } from "../tcp/udp_peer_fake.ts";
import type { Session } from "../tunnel/mod.ts";
import { Shares } from "./shares.ts";
import { decodeTarget } from "./target.ts";
import { UdpSource } from "./udp_source.ts";

const service = "127.0.0.9";

/** A source whose laptop is the test. */
class Place implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly strangers = new Shares(1000);
  state: "connected" | "waiting" = "connected";
  /** What the laptop is asked for: the ports of peers. */
  readonly asked: number[] = [];
  emptied = 0;
  readonly #flows: UdpDatagrams[] = [];
  readonly #source: UdpSource;

  constructor(answer: () => Promise<Datagrams>) {
    const session = {
      peer: { thumbprint: "a laptop" },
      stats: () => ({ state: this.state }),
      openDatagrams: (bytes: Uint8Array) => {
        const target = decodeTarget(bytes);
        assert.ok(target?.kind === "udp");
        this.asked.push(target.port);
        return answer();
      },
    } as unknown as Session;
    this.#source = new UdpSource({
      ...{ session, strangers: this.strangers, clock: this.clock },
      source: { ip: Ip.parse("198.18.0.1"), port: 40_000 },
      whyForbidden: () => undefined,
      isOfService: ({ ip }) => String(ip) === service,
      onEmpty: () => this.emptied++,
    });
  }

  /** Sends to a peer; the port that it is seen at. */
  async reach(peer: UdpPeer): Promise<number> {
    const flow = this.open(peer.endpoint);
    assert.ok(flow.send(Uint8Array.of(0x61)));
    return (await peer.next()).port;
  }

  open(peer: Endpoint): UdpDatagrams {
    const flow = this.#source.open(peer);
    this.#flows.push(flow);
    return flow;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const flow of this.#flows) flow.close();
    await Promise.all(this.#flows.map(({ released }) => released));
    await this.strangers.empty();
  }
}

const refusing = () => Promise.reject(new RefusedError("refused", "a test"));

/** A datagram of a flow that goes there is heard after all that a stranger sent before. */
async function untilHeard(place: Place, port: number): Promise<void> {
  await using peer = await UdpPeer.open();
  const flow = place.open(peer.endpoint);
  flow.send(Uint8Array.of(1));
  await peer.next();
  await peer.send("x", port);
  await flow.receive(new Uint8Array(1));
  // The thread that waits tells of one socket after the other.
  await new Promise((resolve) => setTimeout(resolve, 20));
  flow.close();
  await flow.released;
}

Deno.test("UdpSource brings a stranger that the laptop does not want once in five seconds, and others meanwhile", async () => {
  await using place = new Place(refusing);
  await using peer = await UdpPeer.open();
  await using one = await UdpPeer.open();
  await using other = await UdpPeer.open();
  const port = await place.reach(peer);
  for (let i = 0; i < 5; i++) {
    await one.send("x", port);
    await untilHeard(place, port);
  }
  assert.deepEqual(place.asked, [one.port]);
  await other.send("x", port);
  await untilHeard(place, port);
  assert.deepEqual(place.asked, [one.port, other.port]);
  place.clock.advance(5_000);
  await one.send("x", port);
  await untilHeard(place, port);
  assert.deepEqual(place.asked, [one.port, other.port, one.port]);
  assert.equal(place.strangers.taken, 0);
});

Deno.test("UdpSource brings nobody to a laptop that is away, and no more than 32 at once", async () => {
  await using place = new Place(refusing);
  await using peer = await UdpPeer.open();
  const port = await place.reach(peer);
  place.state = "waiting";
  await using one = await UdpPeer.open();
  await one.send("x", port);
  await untilHeard(place, port);
  assert.deepEqual(place.asked, []);
  place.state = "connected";
  for (let i = 0; i < 40; i++) {
    await using stranger = await UdpPeer.open();
    await stranger.send("x", port);
    await untilHeard(place, port);
  }
  assert.equal(place.asked.length, 32);
  place.clock.advance(1_000);
  await one.send("x", port);
  await untilHeard(place, port);
  assert.deepEqual(place.asked.slice(32), [one.port]);
});

Deno.test("UdpSource has a port for Services beside that of all others, and of each peer above 256 another", async () => {
  await using place = new Place(refusing);
  await using others = new AsyncDisposableStack();
  const peers: UdpPeer[] = [];
  for (let i = 0; i < 257; i++) peers.push(others.use(await UdpPeer.open()));
  const ports: number[] = [];
  for (const peer of peers) ports.push(await place.reach(peer));
  assert.equal(new Set(ports.slice(0, 256)).size, 1);
  assert.notEqual(ports[256], ports[0]);
  const services = [
    others.use(await UdpPeer.open(service)),
    others.use(await UdpPeer.open(service)),
  ];
  const ofServices = [];
  for (const peer of services) ofServices.push(await place.reach(peer));
  assert.equal(new Set(ofServices).size, 1);
  assert.ok(!ports.includes(ofServices[0]!));
  assert.equal(place.emptied, 0);
});

Deno.test("UdpSource is empty when no flow is left, those of strangers included", async () => {
  const ended = Promise.withResolvers<number | null>();
  const stream: Datagrams = {
    send: () => true,
    receive: () => ended.promise,
    close: () => ended.resolve(null),
  };
  await using place = new Place(() => Promise.resolve(stream));
  await using peer = await UdpPeer.open();
  await using stranger = await UdpPeer.open();
  const flow = place.open(peer.endpoint);
  flow.send(Uint8Array.of(1));
  const { port } = await peer.next();
  await stranger.send("x", port);
  await untilHeard(place, port);
  assert.equal(place.strangers.taken, 1);
  flow.close();
  await flow.released;
  assert.equal(place.emptied, 0);
  ended.resolve(null);
  await place.strangers.empty();
  assert.equal(place.emptied, 1);
});
