/**
 * One side of the daemon as a process of its own, for tests that kill and stop it.
 *
 *     daemon_harness.ts daemon UID         runs the daemon; `service` as UID: on a socket that it was handed over
 *     daemon_harness.ts repair             undoes what a killed one left
 *     daemon_harness.ts leftover           prints whether it left something
 *     daemon_harness.ts connector          connects, then serves commands line by line, each answered by one line;
 *                                          with `service`: waits for no daemon
 */
import process from "node:process";
import { connectDaemon, leftover, waitForDaemon } from "../../daemon/client.ts";
import type {
  DaemonClient,
  DeviceInfo,
  DevicePlan,
} from "../../daemon/client.ts";
import { Ip, RefusedError, Subnet } from "../../net/mod.ts";
import { startVpn } from "../../vpn/mod.ts";
import { NameAnswers } from "./daemon_answers.ts";

const [role, argument] = Deno.args;
let device: DeviceInfo | undefined;
/** Names that came to the nameserver on the device. */
const asked: string[] = [];

switch (role) {
  case "daemon": {
    const { runDaemon } = await rootSide();
    await runDaemon({
      ...argument === "service" ? {} : { uid: Number(argument) },
      onListen: () => say("ready"),
    });
    process.exit(0);
    break;
  }
  case "repair": {
    const { repairHost } = await rootSide();
    await repairHost();
    break;
  }
  case "leftover":
    say(String(await leftover()));
    break;
  case "connector":
    await runConnector();
    process.exit(0);
}

/** What only root loads: it needs a library, which the connector's user has not. */
async function rootSide(): Promise<typeof import("../../daemon/mod.ts")> {
  const door = new URL("../../daemon/mod.ts", import.meta.url);
  return await import(door.href);
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

async function runConnector(): Promise<void> {
  if (argument !== "service") await waitForDaemon({ timeoutMs: 10_000 });
  const client = await connectDaemon().catch((error) => {
    say(`failed ${error.name} ${error.message}`);
    process.exit(1);
  });
  client.ended.then((reason) => say(`ended ${reason}`));
  say("ready");
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
  for await (const text of lines) {
    for (const line of text.split("\n").filter((line) => line !== "")) {
      say(
        await answer(client, line).catch((error) =>
          `refused ${error.code ?? error.name}`
        ),
      );
    }
  }
}

async function answer(client: DaemonClient, line: string): Promise<string> {
  const [command, value = ""] = line.split(" ");
  switch (command) {
    case "open": {
      device = await client.openDevice(plan(value));
      return `device ${device.name}`;
    }
    case "route":
      await client.addRoute(Subnet.parse(value));
      return "done";
    case "unroute":
      await client.deleteRoute(Subnet.parse(value));
      return "done";
    case "resolver":
      await client.setResolver({ nameserver: Ip.parse(value) });
      return "done";
    case "split": {
      const [nameserver, search, ...names] = value.split(",");
      const isTop = (name: string) => name.startsWith("+");
      const { edge, reason, refused } = await client.setResolver({
        nameserver: Ip.parse(nameserver!),
        search: [search!],
        topLevel: names.filter(isTop).map((name) => name.slice(1)),
        zones: names.filter((name) => !isTop(name)),
      });
      return [edge, reason, ...refused].join("; ");
    }
    case "serve":
      await startVpn({
        device: device!,
        dial: () => Promise.reject(new RefusedError("refused", "UDP only")),
        dialEchoes: () =>
          Promise.reject(new RefusedError("refused", "UDP only")),
        dialDatagrams: () =>
          Promise.resolve(new NameAnswers((name) => asked.push(name))),
      });
      return "done";
    case "asked":
      return [...new Set(asked.splice(0))].sort().join(" ");
    case "restore":
      await client.restoreResolver();
      return "done";
    case "read":
      return `packet ${readPacket(device!.fd, Number(value))}`;
    case "close":
      await client.close();
      return "closed";
    default:
      throw new Error(`Cannot serve "${line}"`);
  }
}

/** `198.18.0.0/29,fd00:1::/64` */
function plan(text: string): DevicePlan {
  const families = text.split(",").map((part) => Subnet.parse(part)).map(
    (subnet) => ({ subnet, laptop: subnet.at(1), peer: subnet.at(2) }),
  );
  const of = (family: 4 | 6) =>
    families.find(({ subnet }) => subnet.family === family);
  const [v4, v6] = [of(4), of(6)];
  return { mtu: 1500, ...v4 ? { v4 } : {}, ...v6 ? { v6 } : {} };
}

/** Reads packets until one of IP version `version` comes; its octets after the virtio-net header, in hexadecimal. */
function readPacket(fd: number, version: number): string {
  const libc = Deno.dlopen("libc.so.6", {
    read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  });
  for (;;) {
    const packet = new Uint8Array(65545);
    const length = Number(
      libc.symbols.read(fd, packet, BigInt(packet.length)),
    );
    if (packet[10]! >> 4 === version) {
      return packet.subarray(10, length).toHex();
    }
  }
}
