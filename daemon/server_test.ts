import assert from "node:assert/strict";
import { FakeResolverEdge } from "../dns/edges/edge_fake.ts";
import { cString, Libc } from "../libc/mod.ts";
import { Ip, Subnet, systemClock } from "../net/mod.ts";
import { FakeNetworkEdge } from "../vpn/device_fake.ts";
import { connectDaemon, DaemonClient, waitForDaemon } from "./client.ts";
import { encodeMessage } from "./api.ts";
import { Host } from "./host.ts";
import { openSockets } from "./open_sockets.ts";
import { ResolverKeeper } from "./resolver_keeper.ts";
import { Server } from "./server.ts";
import type { Sockets } from "./sockets.ts";

const subnet = Subnet.parse("198.18.0.0/29");
const plan = {
  mtu: 1500,
  v4: { subnet, laptop: subnet.at(1), peer: subnet.at(2) },
};
const fileCalls = {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
} as const;
const ignore = Deno.build.os !== "linux";

interface Daemon {
  sockets: Sockets;
  network: FakeNetworkEdge;
  edge: FakeResolverEdge;
  socketPath: string;
  /** Resolves when the server has ended and its connections are closed. */
  ended: Promise<void>;
}

/** A server on a real socket that serves this user and changes nothing real. */
async function withServer(
  run: (daemon: Daemon) => Promise<void>,
): Promise<void> {
  const uid = Deno.uid()!;
  const directory = await Deno.makeTempDir();
  const socketPath = `${directory}/socket`;
  const abort = new AbortController();
  using sockets = openSockets();
  const network = new FakeNetworkEdge();
  const edge = new FakeResolverEdge();
  const resolver = new ResolverKeeper({
    ...{ edge, clock: systemClock },
    block: () => {},
    unblock: () => {},
  });
  const record = () => Promise.resolve();
  const clock = systemClock;
  const host = new Host({ network, resolver, clock, record });
  const listener = sockets.bind(socketPath);
  const server = new Server({
    ...{ sockets, listener, uid, host, resolver, clock: systemClock },
    everyTurn: () => Promise.resolve(),
    signal: abort.signal,
  });
  const ended = server.run().finally(() => {
    server[Symbol.dispose]();
    listener[Symbol.dispose]();
  });
  try {
    await run({ sockets, network, edge, socketPath, ended });
  } finally {
    abort.abort();
    await ended;
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test({
  name: "a connector is served in order and told what was refused",
  ignore,
  fn: () =>
    withServer(async ({ socketPath, network, edge, ended }) => {
      const client = await connectDaemon({ socketPath });
      await assert.rejects(client.addRoute(Subnet.parse("10.96.0.0/12")), {
        name: "DaemonRefusalError",
        code: "device-missing",
        message:
          'Cannot route "10.96.0.0/12" to the cluster: there is no device yet',
      });
      openRealFile(network);
      const opened = await client.openDevice(plan);
      assert.equal(opened.name, "tp0");
      assert.equal(await textOf(opened.fd), "the device");
      network.done.length = 0;
      await Promise.all([
        client.addRoute(Subnet.parse("10.96.0.0/12")),
        client.addRoute(Subnet.parse("10.244.0.0/16")),
        client.deleteRoute(Subnet.parse("10.96.0.0/12")),
        client.setResolver({ nameserver: Ip.parse("198.18.0.3") }),
        client.restoreResolver(),
      ]);
      assert.deepEqual(network.done, [
        "route 10.96.0.0/12 dev 7 src 198.18.0.1",
        "route 10.244.0.0/16 dev 7 src 198.18.0.1",
        "unroute 10.96.0.0/12 dev 7",
      ]);
      assert.deepEqual(
        edge.done.filter((what) => what !== "follow"),
        ["apply 198.18.0.3", "restore"],
      );
      await Promise.all([client.close(), ended]);
      assert.equal(await client.ended, "closed");
      await assert.rejects(client.restoreResolver(), {
        name: "DaemonAbsentError",
      });
    }),
});

Deno.test({
  name: "zones that are no zones, or too many, end nobody and cost nothing",
  ignore,
  fn: () =>
    withServer(async ({ socketPath, network, edge, ended }) => {
      const client = await connectDaemon({ socketPath });
      openRealFile(network);
      const { fd } = await client.openDevice(plan);
      await textOf(fd);
      const nameserver = Ip.parse("198.18.0.3");
      const odd = ["", "a b", "a\0b", "a".repeat(254), "\u00e4", "com"];
      const some = await client.setResolver({
        nameserver,
        search: ["web.svc.cluster.local"],
        topLevel: ["dev", "local"],
        zones: [...odd, "svc"],
      });
      assert.deepEqual(some.refused, ["local", ...odd]);
      assert.deepEqual(edge.plan, {
        search: ["web.svc.cluster.local"],
        zones: ["dev", "svc"],
      });
      await Promise.all(["a", "b"].map((zone) =>
        client.setResolver({ nameserver, zones: [zone, `x.${zone}`] })
      ));
      assert.deepEqual(edge.plan, { search: [], zones: ["b", "x.b"] });
      const many = Array.from({ length: 20_000 }, (_, n) =>
        `ns-${n}`);
      const start = performance.now();
      const { refused } = await client.setResolver({ nameserver, zones: many });
      assert.deepEqual(refused, many.slice(192));
      // Each question is a turn of the daemon.
      assert.ok(performance.now() - start < 1_500);
      await Promise.all([client.close(), ended]);
    }),
});

Deno.test({
  name: "a second connector is told who holds the network, a visitor is not",
  ignore,
  fn: () =>
    withServer(async ({ socketPath, ended }) => {
      await waitForDaemon({ timeoutMs: 0, socketPath });
      const client = await connectDaemon({ socketPath });
      await waitForDaemon({ timeoutMs: 0, socketPath });
      await assert.rejects(connectDaemon({ socketPath }), {
        name: "HeldError",
        uid: Deno.uid(),
      });
      await client.restoreResolver();
      await Promise.all([client.close(), ended]);
    }),
});

Deno.test({
  name: "a connector whose message cannot be read is the end",
  ignore,
  fn: () =>
    withServer(async ({ sockets, socketPath, ended }) => {
      using socket = sockets.connect(socketPath);
      socket.send(encodeMessage({ kind: "hello", sequence: 1 }));
      socket.send(new Uint8Array(64).fill(1));
      await ended;
    }),
});

Deno.test({
  name: "visitors that say anything else are dismissed, and many do no harm",
  ignore,
  fn: () =>
    withServer(async ({ sockets, socketPath, ended }) => {
      using stack = new DisposableStack();
      for (let n = 0; n < 12; n++) {
        const visitor = stack.use(sockets.connect(socketPath));
        if (n % 2) visitor.send(new Uint8Array(200).fill(n));
      }
      const client = await connectDaemon({ socketPath });
      await Promise.all([client.close(), ended]);
    }),
});

Deno.test({
  name: "a daemon that ends by itself is lost to its connector",
  ignore,
  fn: () =>
    withServer(async ({ sockets, socketPath }) => {
      const path = `${socketPath}.mute`;
      using listener = sockets.bind(path);
      const connecting = DaemonClient.connect(path);
      listener.accept()![Symbol.dispose]();
      await assert.rejects(connecting, { name: "DaemonAbsentError" });
    }),
});

Deno.test({
  name: "connectDaemon() tells that no daemon runs",
  ignore,
  fn: async () => {
    const socketPath = "/nowhere/daemon.sock";
    await assert.rejects(connectDaemon({ socketPath }), {
      name: "DaemonAbsentError",
    });
    await assert.rejects(waitForDaemon({ timeoutMs: 0, socketPath }), {
      name: "DaemonAbsentError",
    });
  },
});

/** Lets the fake hand out the descriptor of a file that says "the device". */
function openRealFile(network: FakeNetworkEdge): void {
  const libc = new Libc(fileCalls);
  const path = Deno.makeTempFileSync();
  Deno.writeTextFileSync(path, "the device");
  const fd = libc.call.open(cString(path), 0);
  Deno.removeSync(path);
  network.openDevice = () => Promise.resolve({ name: "tp0", index: 7, fd });
  network.closeDescriptor = (closed) => {
    assert.equal(closed, fd);
    libc.call.close(closed);
    libc[Symbol.dispose]();
  };
}

/** Reads what a descriptor of this process leads to, and closes it. */
async function textOf(fd: number): Promise<string> {
  const text = await Deno.readTextFile(`/proc/self/fd/${fd}`);
  using libc = new Libc(fileCalls);
  libc.call.close(fd);
  return text;
}
