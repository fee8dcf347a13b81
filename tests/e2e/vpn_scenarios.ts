/** What apps do to the VPN. Each scenario throws when it went wrong and may return a figure for the reader. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { writeAll } from "../../net/mod.ts";
import { TcpConn } from "../../tcp/mod.ts";
import {
  openWorld,
  refusing,
  run,
  services,
  silent,
  type World,
} from "./vpn_world.ts";

export type Scenario = (world: World) => Promise<string | void>;

export const families = ["v4", "v6"] as const;
const line = new TextEncoder().encode("what an app says\n");

export const scenarios: Record<string, Scenario> = {
  async curl() {
    const page = "a page ".repeat(100_000);
    const controller = new AbortController();
    const server = Deno.serve({
      hostname: "127.0.0.1",
      port: 8080,
      signal: controller.signal,
      onListen() {},
    }, () => new Response(page));
    for (const family of families) {
      const host = family === "v4" ? services.v4 : `[${services.v6}]`;
      assert.equal(await run("curl", "-sS", `http://${host}:8080/`), page);
    }
    controller.abort();
    await server.finished;
  },

  async refusals() {
    // connect(2) of an app whose packet was answered so: Linux names these errors.
    const wanted: Record<string, [v4: RegExp, v6: RegExp]> = {
      refused: [/os error 111/, /os error 111/],
      unreachable: [/os error 113/, /os error 113/],
      forbidden: [/os error 113/, /os error 13\)/],
      gone: [/os error 101/, /os error 101/],
      failed: [/os error 113/, /os error 113/],
    };
    let slowest = 0;
    for (const [refusal, errors] of Object.entries(wanted)) {
      for (const [i, family] of families.entries()) {
        const hostname = refusing[refusal as "refused"][family];
        const begin = performance.now();
        await assert.rejects(Deno.connect({ hostname, port: 1 }), errors[i]!);
        slowest = Math.max(slowest, performance.now() - begin);
      }
    }
    assert.ok(slowest < 500, `a refusal took ${slowest} ms`);
    return `the slowest refusal took ${slowest.toFixed(1)} ms`;
  },

  async givingUp({ vpn, silentDials }) {
    const before = vpn.stats();
    const { code } = await new Deno.Command("curl", {
      args: ["-s", "--max-time", "0.5", `http://${silent}/`],
    }).output();
    assert.equal(code, 28); // operation timed out
    assert.equal(silentDials.length, 1);
    await new Promise((resolve) => silentDials[0]!.onabort = resolve);
    const after = vpn.stats();
    assert.equal(after.tcp_abandoned, before.tcp_abandoned! + 1);
    assert.equal(after.tcp_held_now, 0);
  },

  async halfClose() {
    for (const family of families) {
      await withService(
        async (service) => `${(await readText(service)).length} octets came`,
        async (port) => {
          using app = await Deno.connect({ hostname: services[family], port });
          await writeAll(app, line);
          await app.closeWrite();
          const answer = await readText(app);
          assert.equal(answer, `${line.length} octets came`);
        },
      );
    }
  },

  async resetByService(world) {
    await withService(async (service) => {
      await service.read(new Uint8Array(1)).catch(() => {});
      return "";
    }, async (port) => {
      const app = await Deno.connect({ hostname: services.v4, port });
      const read = app.read(new Uint8Array(1));
      await until(() => world.services.length > 0);
      world.services.at(-1)!.reset();
      await assert.rejects(read, Deno.errors.ConnectionReset);
      app.close();
    });
  },

  async resetByApp() {
    await withService(async (service) => {
      const read = service.read(new Uint8Array(1));
      await assert.rejects(read, Deno.errors.ConnectionReset);
      return "";
    }, async (port) => {
      const app = await Deno.connect({ hostname: services.v4, port });
      new TcpConn(app).reset();
    });
  },

  async parallel() {
    const count = 2_000;
    return await withService(echo, async (port) => {
      const begin = performance.now();
      const apps = await Promise.all(
        Array.from({ length: count }, (_, i) => {
          const hostname = services[families[i % 2]!];
          return Deno.connect({ hostname, port });
        }),
      );
      await Promise.all(apps.map(async (app, i) => {
        const word = new TextEncoder().encode(`app ${i}`);
        await writeAll(app, word);
        await app.closeWrite();
        assert.equal(await readText(app), `app ${i}`);
        app.close();
      }));
      return `${count} in ${(performance.now() - begin).toFixed(0)} ms`;
    });
  },

  /** More connections than there are ports, and these used again at once: the kernel may remember only a few. */
  async manyOverTime({ vpn }) {
    const count = 66_000;
    await Deno.writeTextFile("/proc/sys/net/ipv4/tcp_max_tw_buckets", "500");
    const begin = performance.now();
    await withService(echo, async (port) => {
      let left = count;
      const worker = async () => {
        const into = new Uint8Array(64);
        while (left-- > 0) {
          using app = await Deno.connect({ hostname: services.v4, port });
          await writeAll(app, line);
          assert.equal(await app.read(into), line.length);
        }
      };
      await Promise.all(Array.from({ length: 32 }, worker));
    });
    await until(() => vpn.stats().tcp_open_now === 0);
    const seconds = (performance.now() - begin) / 1000;
    return `${(count / seconds).toFixed(0)} connections per second`;
  },

  async strangers({ vpn }) {
    const before = vpn.stats().tcp_strangers!;
    const sockets = await run("ss", "-Hltn", "src", "198.18.0.1");
    const port = Number(/198\.18\.0\.1:(\d+)/.exec(sockets)![1]);
    const conn = await Deno.connect({ hostname: "198.18.0.1", port });
    await assert.rejects(
      conn.read(new Uint8Array(1)),
      Deno.errors.ConnectionReset,
    );
    conn.close();
    assert.equal(vpn.stats().tcp_strangers, before + 1);
  },

  async foreignSource({ vpn }) {
    await run("ip", "address", "add", "192.0.2.1/32", "dev", "lo");
    const before = vpn.stats();
    const url = `http://${services.v4}:9/`;
    const source = ["--interface", "192.0.2.1"];
    const { code } = await new Deno.Command("curl", {
      args: ["-s", ...source, "--connect-timeout", "0.5", url],
    }).output();
    assert.equal(code, 28);
    assert.ok(vpn.stats().dropped_foreign! > before.dropped_foreign!);
    assert.equal(vpn.stats().tcp_dialled, before.tcp_dialled);
  },

  async udp() {
    for (const family of families) {
      const socket = createSocket(family === "v4" ? "udp4" : "udp6");
      // The largest: 65535 less the headers of UDP, and of IP where that counts.
      const sizes = [0, 1, 1400, 1473, 9_000, 60_000, 65_507];
      for (const size of sizes) {
        const sent = crypto.getRandomValues(
          new Uint8Array(Math.min(size, 60_000)),
        );
        const datagram = new Uint8Array(size);
        datagram.set(sent);
        const answer = new Promise<Uint8Array>((resolve) =>
          socket.once("message", resolve)
        );
        socket.send(datagram, 7, services[family]);
        assert.deepEqual(Uint8Array.from(await answer), datagram);
      }
      await new Promise<void>((resolve) => socket.close(resolve));
    }
  },

  async udpRefused() {
    for (const family of families) {
      const socket = `/dev/udp/${refusing.refused[family]}/7`;
      // The error of the first datagram is told to who reads from the socket.
      const script = `exec 3<>${socket}; echo anyone >&3; LC_ALL=C cat <&3`;
      await assert.rejects(run("bash", "-c", script), /Connection refused/);
    }
  },

  iperf: () => iperf("4", []),
  iperfReverse: () => iperf("4", ["-R"]),
  iperfParallel: () => iperf("4", ["-P", "8"]),
  iperfV6: () => iperf("6", []),

  /** What the VPN leaves behind when it stops. */
  async stop({ vpn, device }) {
    await withService(async (service) => {
      await service.read(new Uint8Array(1)).catch(() => {});
      return "";
    }, async (port) => {
      const app = await Deno.connect({ hostname: services.v4, port });
      const held = Deno.connect({ hostname: silent, port: 1 });
      const read = app.read(new Uint8Array(1));
      await until(() => vpn.stats().tcp_held_now === 1);
      await until(() => vpn.stats().tcp_open_now === 1);
      const begin = performance.now();
      // Both at once: whichever is broken off first, somebody waits for it.
      await Promise.all([
        vpn.stop(),
        assert.rejects(read, Deno.errors.ConnectionReset),
        assert.rejects(held, /os error 101/),
      ]);
      const ms = performance.now() - begin;
      assert.ok(ms < 1_000, `stopping took ${ms} ms`);
      app.close();
    });
    assert.equal(await vpn.ended, "woken");
    // The device lives as long as a descriptor of it.
    await assert.rejects(run("ip", "link", "show", device), /does not exist/);
  },

  /** To be run when the first VPN has stopped. */
  async deviceLost() {
    const { vpn, device } = await openWorld();
    await run("ip", "link", "delete", device);
    assert.equal(await vpn.ended, "gone");
    await vpn.stop();
  },
};

/** What comes until the end of the direction. */
async function readText(conn: Deno.TcpConn): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4096);
  let text = "";
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) return text;
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
}

/** Runs `client` while connections to a port of the loopback address are answered, then closed, by `serve`. */
export async function withService<T>(
  serve: (conn: Deno.TcpConn) => Promise<string>,
  client: (port: number) => Promise<T>,
): Promise<T> {
  using listener = Deno.listen({
    hostname: "127.0.0.1",
    port: 0,
    tcpBacklog: 4096,
  });
  const served: Promise<unknown>[] = [];
  const accepting = (async () => {
    for await (const conn of listener) {
      served.push(answer(conn, serve).catch((error) => error));
    }
  })();
  const result = await client(listener.addr.port);
  listener.close();
  await accepting.catch(() => {});
  for (const error of await Promise.all(served)) assert.ifError(error);
  return result;
}

async function answer(
  conn: Deno.TcpConn,
  serve: (conn: Deno.TcpConn) => Promise<string>,
): Promise<void> {
  try {
    const last = await serve(conn);
    if (last !== "") await writeAll(conn, new TextEncoder().encode(last));
  } finally {
    conn.close();
  }
}

async function echo(conn: Deno.TcpConn): Promise<string> {
  const buffer = new Uint8Array(64);
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) return "";
    await writeAll(conn, buffer.subarray(0, count));
  }
}

async function until(isSo: () => boolean): Promise<void> {
  for (const begin = performance.now(); !isSo();) {
    assert.ok(performance.now() - begin < 10_000, "waited for ten seconds");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function iperf(family: "4" | "6", options: string[]): Promise<string> {
  const host = family === "4" ? services.v4 : services.v6;
  const server = new Deno.Command("iperf3", {
    args: ["-s", "-1", "-p", "5201", "--forceflush"],
    stdout: "piped",
  }).spawn();
  // The first lines say that it listens.
  const reader = server.stdout.getReader();
  await reader.read();
  reader.releaseLock();
  const drained = server.stdout.pipeTo(new WritableStream());
  const time = ["-t", "2", "-J"];
  const report = await run("iperf3", "-c", host, ...time, ...options);
  await drained;
  await server.status;
  const { sum_received: sum } = JSON.parse(report).end;
  return `${(sum.bits_per_second / 1e9).toFixed(2)} Gbit/s`;
}
