import assert from "node:assert/strict";
import { isEcho } from "../net/mod.ts";
import { Ip } from "../net/mod.ts";
import { openPingSocket } from "./ping_socket_linux.ts";

const range = Deno.build.os === "linux"
  ? Deno.readTextFileSync("/proc/sys/net/ipv4/ping_group_range")
    .trim().split(/\s+/).map(Number)
  : [1, 0];
const group = Deno.gid() ?? -1;
const isAllowed = range[0]! <= group && group <= range[1]!;

for (const [family, address] of [[4, "127.0.0.1"], [6, "::1"]] as const) {
  Deno.test({
    name:
      `openPingSocket() of IPv${family} asks the loopback address where the kernel lets it`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      const socket = openPingSocket(family);
      if (!isAllowed) return assert.equal(socket, undefined);
      assert.ok(socket);
      const type = family === 4 ? 8 : 128;
      const request = Uint8Array.of(type, 0, 0, 0, 0, 0, 0, 7, 1, 2, 3);
      assert.ok(socket.send(Ip.parse(address), request));
      const into = new Uint8Array(100);
      const { from, length } = (await socket.receive(into))!;
      assert.equal(String(from), address);
      const reply = into.subarray(0, length);
      assert.ok(isEcho(reply, { family, kind: "reply" }));
      assert.deepEqual([...reply.subarray(6)], [0, 7, 1, 2, 3]);
      assert.equal(await socket.receive(into), undefined);
      socket.close();
    },
  });
}
