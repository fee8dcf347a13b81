/**
 * What loads on macOS, as far as Linux can tell: a process that takes itself for one there opens every door and each of
 * the system's own parts, and asks for no library but that of macOS.
 */
import assert from "node:assert/strict";

const doors = [
  "cmd/mod.ts",
  "cmd/connect_run.ts",
  "cmd/doctor_run.ts",
  "cmd/status_run.ts",
  "connector/mod.ts",
  "connector/client.ts",
  "daemon/mod.ts",
  "daemon/client.ts",
  "dns/mod.ts",
  "k8s/mod.ts",
  "manager/client.ts",
  "process/mod.ts",
  "tcp/mod.ts",
  "vpn/mod.ts",
];

const script = `
const opened = new Set();
const symbols = new Proxy({}, { get: () => () => 0 });
Object.defineProperty(Deno, "build", { value: { ...Deno.build, os: "darwin" } });
Deno.dlopen = (path) => {
  opened.add(String(path));
  return { symbols, close() {} };
};
const at = (path) => import(new URL(path, Deno.args[0]).href);
for (const door of JSON.parse(Deno.args[1])) await at(door);
const { openSockets } = await at("daemon/open_sockets.ts");
openSockets()[Symbol.dispose]();
const { openNetworkEdge } = await at("vpn/network_edge.ts");
openNetworkEdge()[Symbol.dispose]();
const { openDeviceIo, openHostChanges, readHostRoutes } = await at("vpn/os.ts");
const io = openDeviceIo(3);
io.read(new Uint8Array(100));
io.wake();
io[Symbol.dispose]();
await openHostChanges()[Symbol.asyncDispose]();
await readHostRoutes();
const { processState } = await at("process/mod.ts");
await processState(1);
const { setNoDelay } = await at("k8s/_no_delay.ts");
setNoDelay({ hostname: "127.0.0.1", port: 443 });
const { UdpDatagrams } = await at("tcp/mod.ts");
const { Ip, systemClock } = await at("net/mod.ts");
const to = { ip: Ip.parse("127.0.0.1"), port: 53 };
const flow = new UdpDatagrams(to, { clock: systemClock, idleMs: 1000 });
flow.send(new Uint8Array(1));
const { daemonSocketPath } = await at("daemon/client.ts");
console.log(JSON.stringify({ opened: [...opened], daemonSocketPath }));
Deno.exit(0);
`;

Deno.test("every door opens on macOS, with no library but its own", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["eval", "--ext=ts", script],
      new URL("../", import.meta.url).href,
      JSON.stringify(doors),
    ],
    cwd: new URL("../", import.meta.url).pathname,
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  const told = JSON.parse(new TextDecoder().decode(stdout));
  assert.deepEqual(told, {
    opened: ["/usr/lib/libSystem.B.dylib"],
    daemonSocketPath: "/var/run/tp/daemon.sock",
  });
});
