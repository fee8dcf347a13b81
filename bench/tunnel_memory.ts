// deno-lint-ignore-file no-console
/**
 * What a session costs by itself: its two ends in two processes over one TCP connection on loopback, beside a plain
 * copy over the same kind of connection. All in one run, so the ratios are what counts.
 *
 *     deno run -A bench/tunnel_memory.ts [--seconds=2]
 */
import type { Conn } from "../net/mod.ts";
import { writeAll } from "../net/mod.ts";
import { Acceptor, createIdentity, dialSession } from "../tunnel/mod.ts";
import type { Incoming, Session } from "../tunnel/mod.ts";

const chunkBytes = 64 * 1024;
const seconds = Number(
  Deno.args.find((arg) => arg.startsWith("--seconds="))?.slice(10) ?? 2,
);

/** A TCP connection as a flow. */
class TcpConn implements Conn {
  constructor(readonly conn: Deno.TcpConn) {
    conn.setNoDelay(true);
  }
  read(into: Uint8Array) {
    return this.conn.read(into);
  }
  write(bytes: Uint8Array) {
    return this.conn.write(bytes);
  }
  closeWrite() {
    return this.conn.closeWrite();
  }
  close() {
    try {
      this.conn.close();
    } catch {
      // It is closed.
    }
  }
  reset() {
    this.close();
  }
}

/** Sends what the target asks for: endless bytes ("down"), nothing ("up": reads them), or an echo. */
async function serveConn(conn: Conn, what: string): Promise<void> {
  const buffer = new Uint8Array(chunkBytes);
  try {
    if (what === "down") {
      for (;;) await writeAll(conn, buffer);
    }
    for (;;) {
      const count = await conn.read(buffer);
      if (count === null) break;
      if (what === "echo") await writeAll(conn, buffer.subarray(0, count));
    }
    conn.close();
  } catch {
    conn.reset();
  }
}

/** The other process: a tunnel port, a plain port whose first byte says what is wanted, and CPU time on request. */
async function far(): Promise<void> {
  const tunnel = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const plain = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  console.log(
    JSON.stringify({ tunnel: tunnel.addr.port, plain: plain.addr.port }),
  );
  void (async () => {
    for await (const conn of plain) {
      const kind = new Uint8Array(1);
      await conn.read(kind);
      const what = ["up", "down", "echo", "cpu"][kind[0]!]!;
      if (what === "cpu") {
        await conn.write(
          new TextEncoder().encode(JSON.stringify(cpuSeconds())),
        );
        conn.close();
      } else void serveConn(new TcpConn(conn), what);
    }
  })();
  const serve = (incoming: Incoming) =>
    void serveConn(
      incoming.accept(),
      new TextDecoder().decode(incoming.target),
    );
  const acceptor = new Acceptor({ product: "bench", onSession: () => serve });
  for await (const conn of tunnel) {
    void acceptor.take(new TcpConn(conn));
  }
}

/** User and system time of this process so far. */
function cpuSeconds(): number {
  const fields = Deno.readTextFileSync("/proc/self/stat").split(") ")[1]!
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

type Dial = (what: "up" | "down" | "echo") => Promise<Conn>;

interface Bulk {
  gbitPerSecond: number;
  /** CPU seconds per Gbit of this process, and of the other. */
  nearCpu: number;
  farCpu: number;
}

async function bulk(
  dial: Dial,
  what: "up" | "down",
  streams: number,
  farSeconds: () => Promise<number>,
): Promise<Bulk> {
  const conns = await Promise.all(
    Array.from({ length: streams }, () => dial(what)),
  );
  let total = 0;
  let isOver = false;
  const work = conns.map(async (conn) => {
    const buffer = new Uint8Array(chunkBytes);
    while (!isOver) {
      const count = what === "down"
        ? await conn.read(buffer) ?? 0
        : await conn.write(buffer);
      total += count;
    }
    conn.reset();
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  const [cpu, farCpu] = [cpuSeconds(), await farSeconds()];
  const [startMs, startTotal] = [performance.now(), total];
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const gbit = (total - startTotal) * 8 / 1e9;
  const elapsed = (performance.now() - startMs) / 1000;
  const cpuUsed = cpuSeconds() - cpu;
  const farUsed = await farSeconds() - farCpu;
  isOver = true;
  await Promise.all(work);
  return {
    gbitPerSecond: gbit / elapsed,
    nearCpu: cpuUsed / gbit,
    farCpu: farUsed / gbit,
  };
}

/** Round trips of one byte, in microseconds: median and 99th percentile. */
async function pingPong(dial: Dial): Promise<{ p50: number; p99: number }> {
  const conn = await dial("echo");
  const buffer = new Uint8Array(1);
  const times: number[] = [];
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until) {
    const start = performance.now();
    await conn.write(buffer);
    await conn.read(buffer);
    times.push(performance.now() - start);
  }
  conn.close();
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)]! * 1000;
  return { p50: at(0.5), p99: at(0.99) };
}

/** Streams opened, used for one byte each way and closed, per second. */
async function opens(dial: Dial, inFlight: number): Promise<number> {
  let count = 0;
  const until = performance.now() + seconds * 1000;
  await Promise.all(Array.from({ length: inFlight }, async () => {
    const buffer = new Uint8Array(1);
    while (performance.now() < until) {
      const conn = await dial("echo");
      await conn.write(buffer);
      await conn.read(buffer);
      await conn.closeWrite();
      await conn.read(buffer);
      conn.close();
      count++;
    }
  }));
  return count / seconds;
}

async function near(): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", import.meta.filename!, "--far"],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const ports = JSON.parse((await reader.read()).value!);
  const connect = async (port: number) =>
    new TcpConn(await Deno.connect({ hostname: "127.0.0.1", port }));
  const dialPlain = async (kind: number) => {
    const conn = await connect(ports.plain);
    await conn.write(Uint8Array.of(kind));
    return conn;
  };
  const plain: Dial = (what) => dialPlain(["up", "down", "echo"].indexOf(what));
  const farSeconds = async () => {
    const conn = await dialPlain(3);
    const buffer = new Uint8Array(64);
    const count = await conn.read(buffer) ?? 0;
    conn.close();
    return Number(new TextDecoder().decode(buffer.subarray(0, count)));
  };
  const session: Session = await dialSession({
    dial: () => connect(ports.tunnel),
    product: "bench",
    identity: await createIdentity(),
  });
  const tunnel: Dial = (what) => session.open(new TextEncoder().encode(what));

  const only = Deno.args.find((arg) => arg.startsWith("--only="))?.slice(7);
  const isWanted = (name: string) => only === undefined || name.includes(only);
  for (const what of ["up", "down"] as const) {
    for (const streams of [1, 8]) {
      if (!isWanted(`bulk-${what}-${streams}`)) continue;
      const a = await bulk(plain, what, streams, farSeconds);
      const b = await bulk(tunnel, what, streams, farSeconds);
      const row = (name: string, one: Bulk) =>
        `${name} ${one.gbitPerSecond.toFixed(2)} Gbit/s, CPU-s/Gbit ` +
        `near ${one.nearCpu.toFixed(3)} far ${one.farCpu.toFixed(3)}`;
      console.log(
        `${what} x${streams}: ${row("plain", a)}; ${row("tunnel", b)}`,
      );
    }
  }
  for (const [name, dial] of Object.entries({ plain, tunnel })) {
    if (!isWanted("ping")) break;
    const { p50, p99 } = await pingPong(dial);
    console.log(
      `ping-pong ${name}: p50 ${p50.toFixed(0)} us, p99 ${p99.toFixed(0)} us`,
    );
  }
  for (const inFlight of [1, 16]) {
    if (!isWanted("opens")) break;
    for (const [name, dial] of Object.entries({ plain, tunnel })) {
      const rate = await opens(dial, inFlight);
      console.log(`opens x${inFlight} ${name}: ${rate.toFixed(0)}/s`);
    }
  }
  console.log(JSON.stringify(session.stats()));
  console.log(`RSS ${(Deno.memoryUsage().rss / 1e6).toFixed(0)} MB`);
  session.close();
  await session.ended;
  child.kill();
  await child.status;
  await reader.cancel();
}

await (Deno.args.includes("--far") ? far() : near());
