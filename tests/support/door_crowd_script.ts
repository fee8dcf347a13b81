// deno-lint-ignore-file no-console -- its lines are read by door_crowd.ts
/**
 * Fills the manager's doors for agents and for the API server as whoever reaches them can, until it is ended:
 * `door_crowd_script.ts HOLDS ADDRESS CA_PEM REVIEW`. It holds so many connections of each kind at each door, shows tokens
 * that prove nothing, and tells the webhook what the API server would. Prints each second what it has done, as JSON.
 */
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { dialManager } from "../../agent/manager_dial.ts";
import {
  agentPort,
  encodeAgentTarget,
  webhookPort,
} from "../../manager/api.ts";
import { RefusedError } from "../../net/mod.ts";
import { createIdentity, dialSession } from "../../tunnel/mod.ts";

const [holds = "", address = "", authorities = "", review = ""] = Deno.args;
const pauseMs = 50;

const counts = { held: 0, turnedAway: 0, tokens: {} as Record<string, number> };
const reviews: Record<string, number> = {};

function count(of: Record<string, number>, what: string): void {
  of[what] = (of[what] ?? 0) + 1;
}

const pause = () => new Promise((done) => setTimeout(done, pauseMs));

/** Opens a connection, and another one when it ends, for ever. */
async function hold(open: () => Socket): Promise<void> {
  for (;;) {
    const socket = open();
    socket.on("error", () => {});
    socket.on("data", () => {});
    counts.held++;
    await new Promise((done) => socket.once("close", done));
    counts.held--;
    counts.turnedAway++;
    await pause();
  }
}

/** To whoever is there. */
function openTls(port: number): Socket {
  return connectTls({ host: address, port, rejectUnauthorized: false });
}

/** Sends an octet of `text` each second. */
function slowly(port: number, text: string): Socket {
  const socket = openTls(port);
  let sent = 0;
  const timer = setInterval(() => socket.write(text[sent++] ?? "x"), 1_000);
  socket.once("close", () => clearInterval(timer));
  return socket;
}

async function showTokens(): Promise<void> {
  const payload = btoa('{"exp":4102444800}').replaceAll("=", "");
  const target = { kind: "rules", token: `e30.${payload}.e30` } as const;
  const signal = new AbortController().signal;
  for (;;) {
    try {
      const session = await dialSession({
        ...{ product: "crowd", identity: await createIdentity() },
        dial: () => dialManager(address, { authorities, signal }),
        limits: { graceMs: 0, carriers: 1 },
      });
      await session.open(encodeAgentTarget(target)).catch((error) => {
        const { refusal } = error as RefusedError;
        count(counts.tokens, refusal ?? "lost");
      });
      session.close();
      await session.ended;
    } catch {
      count(counts.tokens, "turned away");
    }
    await pause();
  }
}

/** The status of the webhook's answer. */
function showPod(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = openTls(webhookPort);
  socket.on("error", () => {});
  socket.once("secureConnect", () =>
    socket.write(
      "POST /pods HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" +
        `Content-Length: ${review.length}\r\n\r\n${review}`,
    ));
  socket.once("data", (head) => resolve(`${head}`.split(" ")[1] ?? ""));
  socket.once("close", () => resolve("turned away"));
  return promise.finally(() => socket.destroy());
}

async function showPods(): Promise<void> {
  for (;;) {
    count(reviews, await showPod());
    await pause();
  }
}

const request =
  "POST /pods HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n";
for (let i = 0; i < Number(holds); i++) {
  for (const port of [agentPort, webhookPort]) {
    void hold(() => connect({ host: address, port }));
  }
  void hold(() => slowly(webhookPort, request));
  void hold(() => slowly(agentPort, "tp"));
}
for (let i = 0; i < 8; i++) {
  void showTokens();
  void showPods();
}
setInterval(() => console.log(JSON.stringify({ ...counts, reviews })), 1_000);
