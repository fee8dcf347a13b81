import assert from "node:assert/strict";
import { Subnet } from "../net/mod.ts";
import { openDarwinNetwork } from "./_device_darwin.ts";
import { decodeRoutes, encodeRouteMessage } from "./_route_message.ts";
import { requests } from "./_utun_message.ts";
import type { NetworkEdge } from "./device.ts";

/** A kernel that notes what it is asked, and has a table of routes. */
class FakeKernel {
  readonly done: string[] = [];
  /** Messages of its routes. */
  routes: Uint8Array[] = [];
  /** What fails next, by the name of its call, with this error. */
  failing: { call: string; errno: number } | undefined;
  #nextFd = 40;
  #errno = new Int32Array(1);

  readonly symbols = {
    socket: (family: number) =>
      this.#call("socket", `${family}`, this.#nextFd++),
    shutdown: () => 0,
    close: (fd: number) => this.#call("close", `${fd}`, 0),
    fcntl: () => 0,
    connect: (_: number, address: Uint8Array) =>
      this.#call("connect", `unit of control ${address[4]}`, 0),
    getsockopt: (...[, , , name]: [number, number, number, Uint8Array]) => {
      name.set(new TextEncoder().encode("utun7\0"));
      return 0;
    },
    ioctl: (_: number, request: bigint, data: Uint8Array) => {
      if (Number(request) === requests.controlInfo) data[0] = 3;
      return this.#call("ioctl", request.toString(16), 0);
    },
    write: (_: number, message: Uint8Array, length: bigint) => {
      const [route] = decodeRoutes(message);
      const verb = message[3] === 1 ? "add" : "delete";
      const { subnet, index, isReject } = route!;
      const how = isReject ? "reject" : `by ${index}`;
      const result = this.#call("write", `${verb} ${subnet} ${how}`, 1);
      return result < 0 ? -1n : length;
    },
    sysctl: (...args: [Uint8Array, number, Uint8Array, Uint8Array]) => {
      const [, , into, length] = args;
      const all = this.routes.flatMap((one) => [...one]);
      into.set(all);
      new DataView(length.buffer).setBigUint64(0, BigInt(all.length), true);
      return 0;
    },
    nameToIndex: () => 17,
    indexToName: (index: number, name: Uint8Array) => {
      const text = index === 17 ? "utun7" : "en0";
      name.set(new TextEncoder().encode(`${text}\0`));
      return Deno.UnsafePointer.of(this.#errno);
    },
    errnoLocation: () => Deno.UnsafePointer.of(this.#errno),
  };

  #call(call: string, what: string, result: number): number {
    const isFailing = this.failing?.call === call;
    this.done.push(`${call} ${what}${isFailing ? " fails" : ""}`);
    if (!isFailing) return result;
    this.#errno[0] = this.failing!.errno;
    this.failing = undefined;
    return -1;
  }
}

/** Runs with a network of macOS that asks a kernel of ours. */
async function onMacos(
  run: (network: NetworkEdge, kernel: FakeKernel) => Promise<void> | void,
): Promise<void> {
  const kernel = new FakeKernel();
  const { dlopen } = Deno;
  const library = { symbols: kernel.symbols, close: () => {} };
  Deno.dlopen = (() => library) as unknown as typeof dlopen;
  try {
    using network = openDarwinNetwork();
    kernel.done.length = 0;
    await run(network, kernel);
  } finally {
    Deno.dlopen = dlopen;
  }
}

const tun = Subnet.parse("198.18.0.0/29");
const plan = {
  mtu: 1500,
  v4: { subnet: tun, laptop: tun.at(1), peer: tun.at(2) },
};
const route = (text: string, index?: number) =>
  encodeRouteMessage({
    ...{ type: 1, subnet: Subnet.parse(text), sequence: 1 },
    ...index === undefined ? {} : { index },
  });

Deno.test("a device of macOS is made, addressed, set up, and has its subnet in halves", () =>
  onMacos(async (network, kernel) => {
    const device = await network.openDevice(plan);
    assert.deepEqual(device, { fd: 41, name: "utun7", index: 17 });
    assert.deepEqual(
      kernel.done.filter((line) => !/^(socket 2|close)/.test(line)),
      [
        "socket 32",
        "ioctl c0644e03", // which control is it
        "connect unit of control 3",
        "ioctl 80206934", // MTU
        "ioctl 8040691a", // address
        "ioctl c0206911", // flags
        "ioctl 80206910",
        "write add 198.18.0.0/30 by 17",
        "write add 198.18.0.4/30 by 17",
      ],
    );
  }));

Deno.test("a device of macOS that is denied is told as such, and leaves no descriptor", () =>
  onMacos(async (network, kernel) => {
    kernel.failing = { call: "connect", errno: 1 };
    await assert.rejects(network.openDevice(plan), {
      name: "DeviceError",
      failure: "tun-denied",
    });
    assert.equal(kernel.done.at(-1), "close 41");
    kernel.failing = { call: "write", errno: 17 };
    await assert.rejects(network.openDevice(plan), { failure: "exists" });
  }));

Deno.test("routes of macOS are set and deleted, but none that is somebody else's", () =>
  onMacos((network, kernel) => {
    const [source, index] = [tun.at(1), 17];
    const subnet = Subnet.parse("10.96.0.0/12");
    network.addRoute(subnet, { index, source });
    kernel.routes = [route("10.96.0.0/12", 4), route("10.244.0.0/16", 17)];
    network.deleteRoute(subnet, { index });
    network.deleteRoute(Subnet.parse("10.244.0.0/16"), { index });
    kernel.failing = { call: "write", errno: 17 };
    network.addUnreachable(tun);
    network.deleteUnreachable(tun);
    kernel.routes = [route("198.18.0.0/29")];
    network.deleteUnreachable(tun);
    assert.deepEqual(kernel.done, [
      "write add 10.96.0.0/12 by 17",
      "write delete 10.244.0.0/16 by 17",
      "write add 198.18.0.0/29 reject fails",
      "write delete 198.18.0.0/29 reject",
    ]);
  }));

Deno.test("a device of macOS is given its address and the halves of its subnet again", () =>
  onMacos((network, kernel) => {
    kernel.failing = { call: "write", errno: 17 };
    network.restoreSubnet(plan.v4, { index: 17 });
    assert.deepEqual(
      kernel.done.filter((line) => !/^(socket|close)/.test(line)),
      [
        "ioctl 8040691a", // address
        "write add 198.18.0.0/30 by 17 fails",
        "write add 198.18.0.4/30 by 17",
      ],
    );
  }));

Deno.test("what macOS has by itself is without the device, and without what refuses", () =>
  onMacos((network, kernel) => {
    kernel.routes = [
      route("10.0.0.0/8", 4),
      route("10.244.0.0/16", 17),
      route("198.18.0.0/29"),
    ];
    const routed = (except?: number) =>
      network.hostSubnets(except).routed.map(String);
    assert.deepEqual(routed(17), ["10.0.0.0/8"]);
    assert.deepEqual(routed(), ["10.0.0.0/8", "10.244.0.0/16"]);
  }));

Deno.test("a device of macOS that is removed loses its routes, and a later one of its name does not", () =>
  onMacos((network, kernel) => {
    kernel.routes = [route("10.96.0.0/12", 17), route("10.0.0.0/8", 4)];
    network.removeDevice({ name: "utun8", index: 17 });
    assert.deepEqual(kernel.done, []);
    network.removeDevice({ name: "utun7", index: 17 });
    assert.deepEqual(kernel.done, ["write delete 10.96.0.0/12 by 17"]);
  }));
