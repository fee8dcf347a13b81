/** What protocols do at their edges. Scenarios as those of `vpn_scenarios.ts`. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import { writeAll } from "../../net/mod.ts";
import { families, type Scenario, withService } from "./vpn_scenarios.ts";
import { refusing, run, services } from "./vpn_world.ts";

export const protocolScenarios: Record<string, Scenario> = {
  async ping() {
    for (const family of families) {
      for (const size of [0, 56, 1400, 1473, 65_507 - 8 * 2]) {
        const options = ["-n", "-c", "3", "-i", "0.02", "-W", "2"];
        const host = services[family];
        const told = await run("ping", ...options, "-s", `${size}`, host);
        assert.match(told, / 3 received, 0% packet loss/);
        assert.doesNotMatch(told, /wrong data|DUP|CHECKSUM/i);
      }
    }
  },

  async pingRefused({ vpn }) {
    const told: [keyof typeof refusing, RegExp][] = [
      ["forbidden", /Packet filtered|administratively prohibited/i],
      ["unreachable", /Destination Host Unreachable|Address unreachable/],
      ["unknown-target", / 0 received, 100% packet loss/],
    ];
    for (const family of families) {
      for (const [refusal, wanted] of told) {
        const host = refusing[refusal][family];
        const { stdout } = await new Deno.Command("ping", {
          args: ["-n", "-c", "1", "-W", "1", host],
        }).output();
        assert.match(new TextDecoder().decode(stdout), wanted);
      }
    }
    assert.equal(vpn.stats().echo_unsupported, families.length);
  },

  async traceroute() {
    await withService(() => Promise.resolve(""), async (port) => {
      for (const family of families) {
        const refused = refusing.refused[family];
        const ways: [host: string, options: string[]][] = [
          [services[family], ["-I"]],
          [services[family], ["-T", "-p", `${port}`]],
          [refused, ["-U"]],
          [refused, []],
        ];
        for (const [host, options] of ways) {
          const wanted = [family === "v4" ? "198.18.0.2" : "fd74:7000::2"];
          assert.deepEqual(await hopsTo(host, options), [...wanted, host]);
        }
      }
    });
  },

  async toMany({ vpn, device }) {
    const before = vpn.stats();
    for (const to of ["224.0.0.251", `ff02::fb%${device}`, "198.18.0.7"]) {
      const args = ["-c", "1", "-W", "0.3", "-I", device, "-b", to];
      await new Deno.Command("ping", { args }).output();
    }
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(0, "198.18.0.1", resolve));
    socket.setBroadcast(true);
    socket.setMulticastInterface("198.18.0.1");
    for (const to of ["224.0.0.251", "198.18.0.7"]) {
      await new Promise((resolve) => socket.send("anyone", 5353, to, resolve));
    }
    await new Promise<void>((resolve) => socket.close(resolve));
    await new Promise((resolve) => setTimeout(resolve, 200));
    const after = vpn.stats();
    assert.ok(after.dropped_unsupported! > before.dropped_unsupported!);
    for (const counter of ["udp_dialled", "echo_dialled", "tcp_dialled"]) {
      assert.equal(after[counter], before[counter], counter);
    }
  },

  async zeroWindow() {
    const body = new Uint8Array(32 * 1024 * 1024);
    for (let at = 0; at < body.length; at += 65_536) {
      crypto.getRandomValues(body.subarray(at, at + 65_536));
    }
    let written = 0;
    await withService(async (service) => {
      for (; written < body.length; written += 65_536) {
        await writeAll(service, body.subarray(written, written + 65_536));
      }
      return "";
    }, async (port) => {
      for (const family of families) {
        written = 0;
        using app = await Deno.connect({ hostname: services[family], port });
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        const full = written;
        assert.ok(full < body.length, "nobody reads, and all was taken");
        await new Promise((resolve) => setTimeout(resolve, 500));
        assert.equal(written, full, "more is taken while nobody reads");
        const hash = createHash("sha256");
        for await (const chunk of app.readable) hash.update(chunk);
        const wanted = createHash("sha256").update(body).digest("hex");
        assert.equal(hash.digest("hex"), wanted);
      }
    });
  },

  async simultaneousClose({ vpn }) {
    await withService(async (service) => {
      await service.closeWrite();
      assert.equal(await service.read(new Uint8Array(1)), null);
      return "";
    }, async (port) => {
      for (let i = 0; i < 200; i++) {
        const hostname = services[families[i % 2]!];
        using app = await Deno.connect({ hostname, port });
        await app.closeWrite();
        assert.equal(await app.read(new Uint8Array(1)), null);
      }
    });
    for (let i = 0; vpn.stats().tcp_open_now !== 0; i++) {
      assert.ok(i < 100, "connections stay open");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  },

  /** As QUIC does: many datagrams of one size each way, so many under way as were not answered. */
  async datagramsInFlight({ vpn }) {
    const count = 5_000;
    const inFlight = 32;
    const before = vpn.stats();
    for (const family of families) {
      const socket = createSocket(family === "v4" ? "udp4" : "udp6");
      const numbers: number[] = [];
      const done = Promise.withResolvers<void>();
      const late = setTimeout(done.resolve, 10_000);
      let sent = 0;
      // Node's sockets send several at once in any order.
      let sending = Promise.resolve();
      const send = () => {
        const datagram = new Uint8Array(1_350);
        new DataView(datagram.buffer).setUint32(0, sent++);
        sending = sending.then(() =>
          new Promise((resolve) =>
            socket.send(datagram, 443, services[family], () => resolve())
          )
        );
      };
      socket.on("message", (answer: Uint8Array) => {
        const { buffer, byteOffset, length } = answer;
        if (length !== 1_350) done.reject(new Error(`${length} octets`));
        numbers.push(new DataView(buffer, byteOffset).getUint32(0));
        if (sent < count) send();
        if (numbers.length === count) done.resolve();
      });
      for (let i = 0; i < inFlight; i++) send();
      try {
        await done.promise;
      } finally {
        clearTimeout(late);
        socket.close();
      }
      assert.deepEqual(numbers, Array.from({ length: count }, (_, i) => i));
    }
    assert.equal(vpn.stats().udp_dialled, before.udp_dialled! + 2);
  },
};

/** The addresses that `traceroute` prints. */
async function hopsTo(host: string, options: string[]): Promise<string[]> {
  const usual = ["-n", "-q", "1", "-w", "1", "-m", "4"];
  const told = await run("traceroute", ...usual, ...options, host);
  return told.trim().split("\n").slice(1).map((line) =>
    line.trim().split(/\s+/)[1]!
  );
}
