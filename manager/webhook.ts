/**
 * Answers the API server before it makes a pod.
 *
 * 1. It listens with a certificate of the manager's authority, and goes on with each new one.
 * 2. Who connects has a share of the connections, and a short time to ask.
 * 3. A question is read, up to a bound: of one, and of all that come from the same address. Only then has it a place among
 *    those that are answered.
 * 4. The pod is allowed, always: with an agent if its workload shall have one and nothing goes wrong.
 *
 * Whoever is in the network can ask, and learns what the manager would do with a pod that it has shown. What he holds he
 * holds of his address's share: the API server has its own.
 */
import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { Socket } from "node:net";
import type { Pod } from "../k8s/mod.ts";
import { logger } from "../log.ts";
import type { Clock } from "../net/mod.ts";
import type { Agent } from "./agent_object.ts";
import { BoundedLog } from "./bounded_log.ts";
import type { Certificate } from "./certificate.ts";
import type { Feed } from "./feed.ts";
import {
  formatReview,
  parseReview,
  type Review,
} from "./injection/admission_review.ts";
import {
  injectAgent,
  type InjectionOptions,
} from "./injection/inject_agent.ts";
import { webhookPath } from "./manifest_injection.ts";
import { Purses } from "./purses.ts";
import { Shares } from "./shares.ts";

const log = logger("manager");

/** The API server stores no larger object, and shows it once. */
const maxBodyBytes = 4 * 1024 * 1024;
/** Of all questions that are being read or answered. */
const maxBytes = 32 * 1024 * 1024;
/** What an address may have read: hundreds of large pods at once. It takes work. */
const readBytes = { size: 32 * 1024 * 1024, perSecond: 4 * 1024 * 1024 };
/** Questions at a time; who comes above is turned away, and its pod made without an agent. */
const maxReviews = 128;
const maxConnections = 512;
/** From the question to the answer; the API server waits a little longer. */
const answerMs = 4_000;
/** How long who connects may take to ask, and how often that is looked at. */
const usualAskingMs = 5_000;
const lookMs = 500;
/**
 * Only who was answered may keep its connection. The API server keeps connections for 90 s: it ends them, so it never asks
 * on one that is ending.
 */
const keepAliveMs = 180_000;
/** After a listener that could not be had. */
const listenPauseMs = 1_000;

export interface WebhookOptions {
  /** Where it listens. */
  address: { hostname: string; port: number };
  /** It listens when there is one. */
  certificates: Feed<Certificate>;
  /** The agent that a pod which is to be made shall have, if any; `from` is the address of who asks. */
  agentOf: (
    pod: Pod,
    asked: { namespace: string; from: string },
  ) => Promise<Agent | undefined>;
  /** With what agents are made; `undefined` while that is not known. */
  injection: () => Omit<InjectionOptions, "agent" | "namespace"> | undefined;
  /** Called with every question that the API server asks. */
  onReview?: (review: Review) => void;
  /** How long who connects may take to ask; a few seconds when absent. */
  askingMs?: number;
  clock: Clock;
}

export class Webhook implements AsyncDisposable {
  readonly #options: WebhookOptions;
  readonly #connections = new Shares(maxConnections);
  readonly #bytes = new Shares(maxBytes);
  readonly #reviews = new Shares(maxReviews);
  readonly #readBytes: Purses;
  readonly #told: BoundedLog;
  readonly #closed = new AbortController();
  readonly #listening: Promise<void>;
  readonly #counts = { reviews: 0, injected: 0, failed: 0 };

  /** Listens as soon as there is a certificate. */
  constructor(options: WebhookOptions) {
    this.#options = options;
    this.#readBytes = new Purses(options.clock, readBytes);
    this.#told = new BoundedLog(log, options.clock);
    this.#listening = this.#listen();
  }

  /** Questions so far, agents given, and questions that were not answered for an error. */
  get counts(): Readonly<
    { reviews: number; injected: number; failed: number }
  > {
    return this.#counts;
  }

  /** Answers what was asked, and nothing more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    await this.#listening;
  }

  /** Until it is disposed of. Never rejects. */
  async #listen(): Promise<void> {
    let server: Server | undefined;
    for await (
      const certificate of this.#options.certificates.follow(this.#closed)
    ) {
      // It is for connections that come; those that stand go on.
      if (server) server.setSecureContext(certificate);
      else server = await this.#open(certificate);
    }
    if (server) await close(server);
  }

  /** `undefined` when it is disposed of before it could listen. */
  async #open(certificate: Certificate): Promise<Server | undefined> {
    const { address, clock, askingMs = usualAskingMs } = this.#options;
    while (!this.#closed.signal.aborted) {
      try {
        const server = createServer({
          ...certificate,
          ...{ handshakeTimeout: askingMs, requestTimeout: askingMs },
          connectionsCheckingInterval: lookMs,
          keepAliveTimeout: keepAliveMs,
        }, (request, response) => {
          this.#serve(request, response).catch(() => response.destroy());
        });
        server.on("connection", (socket) => this.#admit(socket as Socket));
        await listening(server, address);
        log.info("the webhook listens", { port: address.port });
        return server;
      } catch (error) {
        log.error("the webhook does not listen", { error });
        await new Promise<void>((resolve) =>
          clock.after(listenPauseMs, resolve)
        );
      }
    }
    return undefined;
  }

  #admit(socket: Socket): void {
    const place = this.#connections.take(socket.remoteAddress ?? "");
    if (place === undefined) return void socket.destroy();
    socket.once("close", () => place[Symbol.dispose]());
  }

  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { status, body = "" } = await this.#answer(request);
    // What was not read is not waited for.
    const ending = status === 200 ? {} : { connection: "close" };
    response.writeHead(status, {
      ...{ "content-type": "application/json", ...ending },
      "content-length": Buffer.byteLength(body),
    });
    response.end(body);
  }

  /** Never rejects. */
  async #answer(
    request: IncomingMessage,
  ): Promise<{ status: number; body?: string }> {
    const [path] = (request.url ?? "").split("?");
    if (path !== webhookPath) return { status: 404 };
    const from = request.socket.remoteAddress ?? "";
    using bytes = new DisposableStack();
    let review: Review;
    try {
      const body = await readBody(request, (length) => {
        const place = this.#bytes.take(from, length);
        if (place) bytes.use(place);
        return place !== undefined && this.#readBytes.pay(from, length);
      });
      if (body === undefined) return { status: 503 };
      review = parseReview(body);
    } catch (error) {
      const message = "a question that is none of the API server's";
      this.#told.write(from, { level: "warn", message, from, error });
      return { status: 400 };
    }
    using place = this.#reviews.take(from);
    if (place === undefined) return { status: 503 };
    this.#counts.reviews++;
    this.#options.onReview?.(review);
    const patch = await this.#patchFor(review, from);
    const { uid } = review;
    return {
      status: 200,
      body: formatReview({ uid, ...patch ? { patch } : {} }),
    };
  }

  /** Never rejects: a pod is not kept from being made. */
  async #patchFor({ pod, namespace }: Review, from: string) {
    const { agentOf, injection, clock } = this.#options;
    const late = Promise.withResolvers<never>();
    const callOff = clock.after(
      answerMs,
      () => late.reject(new Error("it takes too long")),
    );
    const { name, generateName } = pod.metadata;
    const told = { namespace, pod: name ?? generateName, from };
    try {
      const agent = await Promise.race([
        agentOf(pod, { namespace, from }),
        late.promise,
      ]);
      if (agent === undefined) return undefined;
      const options = injection();
      if (options === undefined) throw new Error("there is no authority yet");
      const result = injectAgent(pod, {
        ...{ ...options, agent: agent.spec, namespace },
      });
      if ("patch" in result) {
        this.#counts.injected++;
        this.#told.write(from, {
          ...{ level: "info", message: "agent given" },
          ...{ ...told, agent: agent.metadata.name },
        });
        return result.patch;
      }
      log.debug("no agent given", { ...told, reason: result.reason });
    } catch (error) {
      this.#counts.failed++;
      const message = "no agent given";
      this.#told.write(from, { level: "error", message, ...told, error });
    } finally {
      callOff();
    }
    return undefined;
  }
}

/**
 * @param hasRoom Asked before each part is kept, with its length. When it says no nothing is read any more.
 * @returns `undefined` when there was no room
 * @throws {RangeError} when it is too long.
 */
async function readBody(
  request: IncomingMessage,
  hasRoom: (length: number) => boolean,
): Promise<string | undefined> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const part of request) {
    length += part.length;
    if (length > maxBodyBytes) {
      throw new RangeError("Cannot read a question: it is too long");
    }
    if (!hasRoom(part.length)) return undefined;
    parts.push(part);
  }
  return await new Blob(parts).text();
}

/** Rejects when it can not listen. */
function listening(
  server: Server,
  { hostname: host, port }: WebhookOptions["address"],
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** What was asked is answered first. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
