/** Clients that had their connections before the rules came, with real servers and clients of HTTP. */
import assert from "node:assert/strict";
import { Agent, createServer, get, type Server } from "node:http";
import {
  type ClientHttp2Session,
  connect,
  createServer as createH2Server,
  type Http2Server,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { pipe } from "../net/mod.ts";
import { TcpConn } from "../tcp/mod.ts";
import type { Incoming } from "../tunnel/mod.ts";
import { until } from "../tunnel/session_fake.ts";
import { openAgent } from "./agent_fake.ts";
import { FakeManager, rule } from "./manager_fake.ts";

const jane = {
  combine: "all",
  headers: [{ name: "x-user", kind: "exact", value: "jane" }],
} as const;

interface App {
  readonly name: string;
  readonly port: number;
  /** Connections that were ever made. */
  conns(): number;
  close(): Promise<void>;
}

/** More than flows hold. */
const bulkTimes = 4_000_000;

/** Answers with its name; `/slow` in two parts, with a pause in which nothing flows; `/bulk` with many names. */
async function startApp(name: string, protocol: "h1" | "h2"): Promise<App> {
  const answer = (
    { url }: { url?: string | undefined },
    response: { write(text: string): unknown; end(text: string): unknown },
  ) => {
    if (url === "/bulk") return void response.end(name.repeat(bulkTimes));
    if (url !== "/slow") return void response.end(name);
    response.write("begun ");
    setTimeout(() => response.end(name), 400);
  };
  const server: Server | Http2Server = protocol === "h1"
    ? createServer(answer)
    : createH2Server((request, response) => answer(request, response));
  let conns = 0;
  server.on("connection", () => conns++);
  await new Promise<void>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve())
  );
  const { port } = server.address() as AddressInfo;
  return {
    ...{ name, port, conns: () => conns },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function open(protocol: "h1" | "h2") {
  const [app, laptop] = [
    await startApp("app", protocol),
    await startApp("laptop", protocol),
  ];
  const manager = new FakeManager("m-0");
  const serving = new Set<Promise<unknown>>();
  const toLaptop = async (incoming: Incoming) => {
    const { port } = laptop;
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await pipe(new TcpConn(conn), incoming.accept());
  };
  manager.onLaptop = (incoming) => serving.add(toLaptop(incoming));
  const leaving = new AbortController();
  const port = { port: app.port, protocol: "TCP" as const };
  const copies = new Map([["10.0.0.1", manager]]);
  const agent = openAgent(copies, {
    ...{ appPort: app.port, port, leaving: leaving.signal },
  });
  await until(() => manager.answers.length === 1);
  const tell = async (...rules: Parameters<FakeManager["tell"]>) => {
    const { length } = manager.answers;
    manager.tell(...rules);
    await until(() => manager.answers.length > length);
  };
  return {
    ...{ app, agent, leaving, port: agent.port, ports: [port], tell },
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]();
      await manager[Symbol.asyncDispose]();
      await Promise.all(serving);
      await Promise.all([app.close(), laptop.close()]);
    },
  };
}

type Place = Awaited<ReturnType<typeof open>>;

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function ask(
  port: number,
  { agent, user = "", path = "/" }: {
    agent: Agent;
    user?: string;
    path?: string;
  },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { agent, port, host: "127.0.0.1", path };
    get({ ...options, headers: { "x-user": user } }, (response) => {
      let text = "";
      response.on("data", (chunk) => text += chunk);
      response.on("end", () => resolve(text));
      response.on("error", reject);
    }).on("error", reject);
  });
}

/** A client that takes a fresh session once it is told to leave the former. */
class H2Client {
  readonly #port: number;
  #session: ClientHttp2Session | undefined;
  sessions = 0;

  constructor(port: number) {
    this.#port = port;
  }

  ask(user = "", path = "/"): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = { ":path": path, "x-user": user };
      const stream = this.#take().request(headers);
      let text = "";
      stream.setEncoding("utf8");
      stream.on("data", (chunk) => text += chunk);
      stream.on("end", () => resolve(text));
      stream.on("error", reject);
      stream.end();
    });
  }

  #take(): ClientHttp2Session {
    const former = this.#session;
    if (former && !former.closed && !former.destroyed) return former;
    this.sessions++;
    const session = connect(`http://127.0.0.1:${this.#port}`);
    session.on("error", () => {});
    session.on("goaway", () => {
      if (this.#session === session) this.#session = undefined;
      session.close();
    });
    return this.#session = session;
  }

  close(): void {
    this.#session?.close();
  }
}

/** Asks all the time while rules come and go. */
async function askWhileRulesChange(
  { ports, tell }: Place,
  askOnce: (user: string) => Promise<string>,
) {
  const rules = [
    [rule("a", { ports, match: jane })],
    [],
    [rule("b", { ports })],
    [],
    [rule("c", { ports, match: jane }), rule("d", { ports })],
    [],
  ];
  const answers = { app: 0, laptop: 0, lost: 0 };
  let isOver = false;
  const asking = Array.from({ length: 4 }, async (_, at) => {
    for (let turn = 0; !isOver; turn++) {
      const answer = await askOnce(turn % 2 === 0 ? "jane" : "joe")
        .catch((error) => String(error));
      if (answer === "app" || answer === "laptop") answers[answer]++;
      else {
        answers.lost++;
        // deno-lint-ignore no-console
        console.log(answer);
      }
      // Some of them pause, so that connections are at rest.
      if (at % 2 === 1) await sleep(turn % 7);
    }
  });
  for (let round = 0; round < 3; round++) {
    for (const list of rules) {
      await tell(...list);
      await sleep(40);
    }
  }
  isOver = true;
  await Promise.all(asking);
  return answers;
}

Deno.test("kept connections of node:http are read as requests when rules come, and lose none", async () => {
  await using place = await open("h1");
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const before = await ask(place.port, { agent });
  assert.equal(before, "app");
  const slow = ask(place.port, { agent, path: "/slow" });
  const answers = await askWhileRulesChange(
    place,
    (user) => ask(place.port, { agent, user }),
  );
  const { http, app } = place.agent.counters.numbers;
  // deno-lint-ignore no-console
  console.log("node:http", answers, { http, app });
  assert.equal(answers.lost, 0);
  assert.ok(answers.laptop > 20 && answers.app > 20);
  assert.equal(await slow, "begun app");
  // All had their connections before the first rule; some are made for a request whose rule goes as it comes.
  assert.equal(http, 4);
  assert.ok(place.app.conns() <= 8);
  agent.destroy();
});

Deno.test("what streams or waits is not touched, and has the next request read", async () => {
  await using place = await open("h1");
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const slow = ask(place.port, { agent, path: "/slow", user: "jane" });
  await sleep(100);
  await place.tell(rule("a", { ports: place.ports }));
  const next = ask(place.port, { agent, user: "jane" });
  assert.equal(await slow, "begun app");
  assert.equal(await next, "laptop");
  agent.destroy();
});

Deno.test("sessions of node:http2 are told to come anew when rules come, and lose none", async () => {
  await using place = await open("h2");
  const client = new H2Client(place.port);
  assert.equal(await client.ask(), "app");
  const slow = client.ask("", "/slow");
  const answers = await askWhileRulesChange(place, (user) => client.ask(user));
  const { sessions } = client;
  // deno-lint-ignore no-console
  console.log("node:http2", answers, { sessions });
  assert.equal(answers.lost, 0);
  assert.ok(answers.laptop > 20 && answers.app > 20);
  assert.ok(sessions > 1);
  assert.equal(await slow, "begun app");
  client.close();
});

Deno.test("a download of an HTTP/2 session that is told to come anew comes whole", async () => {
  await using place = await open("h2");
  const client = new H2Client(place.port);
  const bulk = client.ask("", "/bulk");
  await until(() => place.agent.counters.numbers.app === 1);
  await place.tell(rule("a", { ports: place.ports, match: jane }));
  const answers = { app: 0, laptop: 0 };
  while (answers.laptop === 0) {
    const answer = await client.ask("jane");
    answers[answer as "app" | "laptop"]++;
  }
  assert.ok(await bulk === "app".repeat(bulkTimes));
  assert.equal(client.sessions, 2);
  client.close();
});

Deno.test("a client that wants nothing is let go when the agent leaves", async () => {
  await using place = await open("h1");
  const agent = new Agent({ keepAlive: true });
  assert.equal(await ask(place.port, { agent }), "app");
  await place.tell(rule("a", { ports: place.ports, match: jane }));
  assert.equal(await ask(place.port, { agent }), "app");
  const other = new Agent({ keepAlive: true });
  await place.tell();
  assert.equal(await ask(place.port, { agent: other }), "app");
  assert.equal(place.agent.slots.taken, 2);
  const startMs = performance.now();
  place.leaving.abort();
  await until(() => place.agent.slots.taken === 0);
  const ms = performance.now() - startMs;
  // deno-lint-ignore no-console
  console.log(`two idle clients were let go within ${ms.toFixed(0)} ms`);
  assert.ok(ms < 4_000);
  agent.destroy();
  other.destroy();
});
