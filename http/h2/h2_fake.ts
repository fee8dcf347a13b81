import { Buffer } from "node:buffer";
import { type ClientHttp2Session, connect, createServer } from "node:http2";
import type {
  Http2Server,
  IncomingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { TcpConn } from "../../tcp/mod.ts";
import type { Destination } from "../destination.ts";
import type { RequestHead } from "../request_head.ts";
import { serveHttp } from "../serve.ts";
import type { ServeOptions } from "../serve_options.ts";

/** An HTTP/2 server of node's own on loopback, as a destination. */
export class NodeServer implements Destination {
  readonly #server: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();
  opened = 0;
  #port = 0;

  private constructor(
    onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
    settings: { maxConcurrentStreams?: number },
  ) {
    this.#server = createServer({ settings });
    this.#server.on("stream", onStream);
    this.#server.on("session", (session) => {
      this.#sessions.add(session);
      session.on("close", () => this.#sessions.delete(session));
    });
  }

  static async start(
    onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
    settings: { maxConcurrentStreams?: number } = {},
  ): Promise<NodeServer> {
    const server = new NodeServer(onStream, settings);
    await new Promise<void>((resolve) =>
      server.#server.listen(0, "127.0.0.1", () => resolve())
    );
    server.#port = (server.#server.address() as AddressInfo).port;
    return server;
  }

  async open(): Promise<TcpConn> {
    this.opened++;
    return new TcpConn(
      await Deno.connect({ hostname: "127.0.0.1", port: this.#port }),
    );
  }

  /** Says goodbye on all connections. */
  goAway(): void {
    for (const session of this.#sessions) session.close();
  }

  breakOff(): void {
    for (const session of this.#sessions) session.destroy();
  }

  async stop(): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** A listener on loopback whose connections are served, and a client of node's own to it. */
export class NodeClient {
  readonly session: ClientHttp2Session;
  readonly #listener: Deno.TcpListener;
  readonly #over: Promise<void>;
  readonly heads: RequestHead[] = [];

  constructor(options: Omit<ServeOptions, "signal">) {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#listener = listener;
    this.#over = (async () => {
      const conn = await listener.accept();
      await serveHttp(new TcpConn(conn), {
        ...options,
        route: (head) => {
          this.heads.push(head);
          return options.route(head);
        },
        signal: new AbortController().signal,
      });
    })();
    this.session = connect(`http://127.0.0.1:${listener.addr.port}`);
    this.session.on("error", () => {});
  }

  /** One request; `body` is sent piece by piece. */
  request(
    headers: Record<string, string>,
    body: string[] = [],
  ): Promise<Answer> {
    const stream = this.session.request(headers, {
      endStream: body.length === 0,
    });
    const answer: Answer = {
      headers: {},
      body: "",
      trailers: {},
      code: 0,
      interim: [],
    };
    return new Promise((resolve) => {
      const chunks: Buffer[] = [];
      stream.on("headers", (head) => answer.interim.push(head[":status"]!));
      stream.on("response", (head) => answer.headers = head);
      stream.on("trailers", (head) => answer.trailers = head);
      stream.on(
        "data",
        (chunk: string | Uint8Array) =>
          chunks.push(Buffer.from(chunk as string)),
      );
      stream.on("error", () => {});
      stream.on("close", () => {
        answer.body = Buffer.concat(chunks).toString();
        answer.code = stream.rstCode ?? 0;
        resolve(answer);
      });
      if (body.length > 0) {
        for (const piece of body) stream.write(piece);
        stream.end();
      }
    });
  }

  async stop(): Promise<void> {
    this.session.destroy();
    await this.#over;
    this.#listener.close();
  }
}

export interface Answer {
  headers: Record<string, unknown>;
  body: string;
  trailers: Record<string, unknown>;
  code: number;
  interim: (number | string)[];
}
