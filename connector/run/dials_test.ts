import assert from "node:assert/strict";
import { roles } from "../../inside/client.ts";
import { encodeTarget } from "../../manager/api.ts";
import {
  connPair,
  type Datagrams,
  Ip,
  RefusedError,
  Subnet,
  writeAll,
} from "../../net/mod.ts";
import { openPair, readAll, textOf } from "../../tunnel/session_fake.ts";
import { Dials } from "./dials.ts";
import { answerFlow } from "./flows.ts";

const device = roles(Subnet.parse("198.18.0.0/29"));
const { signal } = new AbortController();

/** Notes what is dialled beyond the device; `10.0.0.9` refuses, the others send back what they get. */
function fakeOutbound() {
  const dialled: string[] = [];
  const note = (kind: string, ip: Ip, port: number) => {
    dialled.push(`${kind} ${ip} ${port}`);
    if (ip.toString() === "10.0.0.9") {
      throw new RefusedError("refused", "nobody listens");
    }
  };
  const dns = {
    serve: () => (dialled.push("dns tcp"), Promise.resolve()),
    datagrams: () => (dialled.push("dns udp"), echoDatagrams()),
  };
  const outbound = {
    dns: dns as unknown as ConstructorParameters<typeof Dials>[0]["dns"],
    dial: (ip: Ip, port: number) => {
      note("tcp", ip, port);
      const [near, far] = connPair();
      void echo(far);
      return Promise.resolve(near);
    },
    dialEchoes: (ip: Ip) => {
      note("echo", ip, 0);
      return Promise.resolve(echoDatagrams());
    },
    dialDatagrams: (ip: Ip, port: number) => {
      note("udp", ip, port);
      return Promise.resolve(echoDatagrams());
    },
  };
  return { dials: new Dials(outbound, [device]), dialled };
}

async function echo(conn: ReturnType<typeof connPair>[0]): Promise<void> {
  const buffer = new Uint8Array(1024);
  for (;;) {
    const read = await conn.read(buffer);
    if (read === null) return await conn.closeWrite();
    await writeAll(conn, buffer.subarray(0, read));
  }
}

function echoDatagrams(): Datagrams {
  const { readable, writable } = new TransformStream<Uint8Array>();
  const [reader, writer] = [readable.getReader(), writable.getWriter()];
  return {
    send: (bytes) => (void writer.write(bytes.slice()), true),
    async receive(into) {
      const { value } = await reader.read();
      if (value) into.set(value);
      return value?.length ?? null;
    },
    close: () => void writer.close().catch(() => {}),
  };
}

const places: [
  to: string,
  port: number,
  dialled: string | "unreachable" | "refused",
][] = [
  ["10.96.0.1", 80, "tcp 10.96.0.1 80"],
  ["2001:db8::1", 443, "tcp 2001:db8::1 443"],
  ["198.18.0.3", 53, "dns tcp"],
  ["198.18.0.3", 80, "refused"],
  ["198.18.0.4", 5432, "tcp 127.0.0.1 5432"],
  ["198.18.0.5", 80, "unreachable"],
  ["224.0.0.251", 5353, "unreachable"],
  ["255.255.255.255", 67, "unreachable"],
];

for (const [to, port, expected] of places) {
  Deno.test(`Dials leads ${to} port ${port} to: ${expected}`, async () => {
    const { dials, dialled } = fakeOutbound();
    const end = { ip: Ip.parse(to), port };
    const options = { signal };
    if (expected === "unreachable" || expected === "refused") {
      await assert.rejects(dials.dial(end, options), { refusal: expected });
      await assert.rejects(dials.dialDatagrams(end, options), {
        refusal: expected,
      });
      assert.deepEqual(dialled, []);
      return;
    }
    (await dials.dial(end, options)).close();
    (await dials.dialDatagrams(end, options)).close();
    assert.deepEqual(dialled, [expected, expected.replace("tcp", "udp")]);
  });
}

Deno.test("Dials leads ICMP echo to the cluster, the laptop's loopback, or nowhere", async () => {
  const { dials, dialled } = fakeOutbound();
  const ask = (to: string) => dials.dialEchoes(Ip.parse(to), { signal });
  (await ask("10.96.0.1")).close();
  (await ask("198.18.0.4")).close();
  assert.deepEqual(dialled, ["echo 10.96.0.1 0", "echo 127.0.0.1 0"]);
  await assert.rejects(ask("198.18.0.3"), { refusal: "unknown-target" });
  await assert.rejects(ask("198.18.0.5"), { refusal: "unreachable" });
});

Deno.test("answerFlow() joins flows of a session with what is dialled, half-close and refusals included", async () => {
  const { dials } = fakeOutbound();
  await using pair = await openPair({
    serve: (incoming) => void answerFlow(incoming, dials),
  });
  const target = (kind: "tcp" | "udp", ip: string) =>
    encodeTarget({ kind, ip: Ip.parse(ip), port: 7 });
  const conn = await pair.dialer.open(target("tcp", "10.96.0.1"));
  await writeAll(conn, new TextEncoder().encode("there and back"));
  await conn.closeWrite();
  assert.equal(textOf(await readAll(conn)), "there and back");
  conn.close();

  const flow = await pair.dialer.openDatagrams(target("udp", "10.96.0.1"));
  flow.send(new Uint8Array([1, 2, 3]));
  const into = new Uint8Array(9);
  assert.equal(await flow.receive(into), 3);
  flow.close();

  const echo = encodeTarget({ kind: "echo", ip: Ip.parse("10.96.0.1") });
  const echoes = await pair.dialer.openDatagrams(echo);
  echoes.send(new Uint8Array([8, 0, 0, 1, 5]));
  assert.equal(await echoes.receive(into), 5);
  echoes.close();

  await assert.rejects(pair.dialer.open(target("tcp", "10.0.0.9")), {
    refusal: "refused",
  });
  await assert.rejects(pair.dialer.open(encodeTarget({ kind: "world" })), {
    refusal: "unknown-target",
  });
  await assert.rejects(pair.dialer.open(target("udp", "10.96.0.1")), {
    refusal: "unknown-target",
  });
});
