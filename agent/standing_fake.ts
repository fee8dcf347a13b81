/** Servers and clients of node's HTTP on both sides of an agent, for tests of connections that stand. */
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
import { FakeManager } from "./manager_fake.ts";

interface App {
  readonly name: string;
  readonly port: number;
  /** Connections that were ever made. */
  conns(): number;
  /** Requests that ever came. */
  asked(): number;
  close(): Promise<void>;
}

/** More than flows hold. */
export const bulkTimes = 4_000_000;

/** Answers with its name; `/slow` in two parts, with a pause in which nothing flows; `/bulk` with many names. */
async function startApp(name: string, protocol: "h1" | "h2"): Promise<App> {
  let asked = 0;
  const answer = (
    { url }: { url?: string | undefined },
    response: { write(text: string): unknown; end(text: string): unknown },
  ) => {
    asked++;
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
    ...{ name, port, conns: () => conns, asked: () => asked },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

export async function open(protocol: "h1" | "h2") {
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
  const laptopIsUp = (isUp: boolean) => {
    manager.onLaptop = (incoming) => {
      if (isUp) serving.add(toLaptop(incoming));
      else incoming.refuse("refused", "nothing listens there");
    };
  };
  laptopIsUp(true);
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
    ...{ laptop, laptopIsUp },
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]();
      await manager[Symbol.asyncDispose]();
      await Promise.all(serving);
      await Promise.all([app.close(), laptop.close()]);
    },
  };
}

export type Place = Awaited<ReturnType<typeof open>>;

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export function ask(
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
export class H2Client {
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

/** A client that keeps its connection, or takes another one when it is told to. */
export function client(protocol: "h1" | "h2", port: number) {
  if (protocol === "h2") return new H2Client(port);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    ask: (user = "", path = "/") => ask(port, { agent, user, path }),
    close: () => agent.destroy(),
  };
}
