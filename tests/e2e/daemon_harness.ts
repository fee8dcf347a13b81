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
import type { DaemonClient, DevicePlan } from "../../daemon/client.ts";
import { repairHost, runDaemon } from "../../daemon/mod.ts";
import { Ip, Subnet } from "../../net/mod.ts";

const [role, argument] = Deno.args;
let device: number | undefined;

switch (role) {
  case "daemon":
    await runDaemon({
      ...argument === "service" ? {} : { uid: Number(argument) },
      onListen: () => say("ready"),
    });
    process.exit(0);
    break;
  case "repair":
    await repairHost();
    break;
  case "leftover":
    say(String(await leftover()));
    break;
  case "connector":
    await runConnector();
    process.exit(0);
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
      const { fd, name } = await client.openDevice(plan(value));
      device = fd;
      return `device ${name}`;
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
    case "restore":
      await client.restoreResolver();
      return "done";
    case "read":
      return `packet ${readPacket(device!, Number(value))}`;
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
