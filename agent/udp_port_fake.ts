import { createSocket, type Socket } from "node:dgram";
import type { Fallback } from "../manager/api.ts";
import { FakeClock } from "../net/clock_fake.ts";
import {
  type Datagrams,
  forwardDatagrams,
  Ip,
  RefusedError,
} from "../net/mod.ts";
import type { Incoming } from "../tunnel/mod.ts";
import { until } from "../tunnel/session_fake.ts";
import { loopback, openManagers } from "./agent_fake.ts";
import { App } from "./app.ts";
import { Counters } from "./counters.ts";
import { Fallbacks } from "./fallbacks.ts";
import { Laptops } from "./laptops.ts";
import { FakeManager } from "./manager_fake.ts";
import { UdpPort } from "./udp_port.ts";

/** A socket on this machine, at a port that is free unless one is given. */
export async function openSocket(port = 0) {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(port, loopback, resolve));
  return {
    socket,
    port: socket.address().port,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}

/** A UDP port that an agent serves, with its app, a client, and what stands for the managers. */
export async function openUdpPlace() {
  const clock = new FakeClock();
  const app = await openSocket();
  /** Ports from which the app heard. */
  const heard: number[] = [];
  const texts: string[] = [];
  app.socket.on("message", (message, { port, address }) => {
    heard.push(port);
    texts.push(String(message));
    app.socket.send(`app:${message}`, port, address);
  });
  const manager = new FakeManager("m-0", { clock });
  const managers = openManagers(new Map([["10.0.0.1", manager]]), { clock });
  await until(() => manager.answers.length === 1);
  const counters = new Counters({ clock });
  // The system gives one that is free, for a moment.
  const { port: agentPort, [Symbol.asyncDispose]: free } = await openSocket();
  await free();
  const port = { port: app.port, protocol: "UDP" as const };
  const reported: string[] = [];
  const report = ({ fallback, reason }: Fallback) =>
    void reported.push(`${fallback}: ${reason}`);
  const udpPort = await UdpPort.open({
    port: { ...port, agentPort, redirect: false },
    hostname: "::",
    app: new App({ port: app.port, ownAddresses: [Ip.parse(loopback)], clock }),
    laptops: new Laptops({ managers, counters, clock }),
    fallbacks: new Fallbacks({ counters, clock, report }),
    ...{ managers, counters, clock },
  });
  const client = await openSocket();
  const answers: string[] = [];
  client.socket.on("message", (message) => answers.push(String(message)));
  return {
    ...{ clock, manager, counters, heard, texts, reported, ports: [port] },
    /** All that came to the client. */
    answers,
    send: (text: string) => client.socket.send(text, agentPort, loopback),
    /** The app says something by itself. */
    say: (text: string) => app.socket.send(text, heard.at(-1)!, loopback),
    next: () => next(client.socket),
    ask: (text: string) => ask(client.socket, text, agentPort),
    async tell(...rules: Parameters<FakeManager["tell"]>) {
      const { length } = manager.answers;
      manager.tell(...rules);
      await until(() => manager.answers.length > length);
    },
    async [Symbol.asyncDispose]() {
      await udpPort[Symbol.asyncDispose]();
      await managers[Symbol.asyncDispose]();
      await manager[Symbol.asyncDispose]();
      counters[Symbol.dispose]();
      await client[Symbol.asyncDispose]();
      await app[Symbol.asyncDispose]();
    },
  };
}

async function ask(
  socket: Socket,
  text: string,
  port: number,
): Promise<string> {
  const answer = next(socket);
  socket.send(text, port, loopback);
  return await answer;
}

/** The next datagram that comes to it. */
function next(socket: Socket): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.once("message", (message) => resolve(String(message)));
  return promise;
}

/** Answers each datagram as a laptop would, and notes it. */
export function laptop(heard: string[]): (incoming: Incoming) => void {
  return (incoming) => {
    const datagrams = incoming.acceptDatagrams();
    void (async () => {
      const buffer = new Uint8Array(1000);
      for (;;) {
        const length = await datagrams.receive(buffer);
        if (length === null) break;
        const text = new TextDecoder().decode(buffer.subarray(0, length));
        heard.push(text);
        datagrams.send(new TextEncoder().encode(`laptop:${text}`));
      }
      datagrams.close();
      heard.push("end");
    })();
  };
}

/** One flow at the laptop, which does as a test says. */
export class LaptopFlow {
  readonly heard: string[] = [];
  readonly #datagrams: Datagrams;

  constructor(incoming: Incoming) {
    this.#datagrams = incoming.acceptDatagrams();
    void forwardDatagrams(this.#datagrams, (bytes) => {
      this.heard.push(new TextDecoder().decode(bytes));
    });
  }

  answer(text: string): void {
    this.#datagrams.send(new TextEncoder().encode(text));
  }

  refuse(): void {
    this.#datagrams.close(new RefusedError("refused", ""));
  }
}
