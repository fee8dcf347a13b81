/**
 * One question to the API server.
 *
 * 1. The credential gives its proof; the request goes out over a kept connection, or a new one.
 * 2. 401 renews the credential and asks once more; 429 and 503 are asked again when the server says when.
 * 3. A no becomes an {@link ApiError}, no answer an {@link ApiUnreachableError}.
 */
import { type Clock, ConnResetError, pause } from "../net/mod.ts";
import { withDeadline } from "./_deadline.ts";
import { dial } from "./_dial.ts";
import { UnansweredError } from "./_http.ts";
import type { HeaderList } from "./_http_head.ts";
import { HttpPool, type PoolResponse } from "./_http_pool.ts";
import type { ClusterAccess } from "./access.ts";
import { decodeApiError, type Question } from "./api_error.ts";
import type { Proof } from "./credential.ts";
import {
  ApiUnreachableError,
  ObstacleError,
  obstacleOf,
} from "./unreachable.ts";

/** Making a connection may take this long, in ms. */
export const dialMs = 10_000;
/** From the request to the end of its answer, in ms; a large list takes its time. */
const answerMs = 60_000;
/** An answer larger than this is not taken. */
const answerLimitBytes = 256 * 1024 * 1024;
/** How often a busy server is asked again, and how long each wait may be, in ms. */
const patience = 3;
const longestWaitMs = 5_000;

/** A list stands for its name several times over. */
export type Query = Record<
  string,
  string | number | boolean | string[] | undefined
>;

export interface ApiRequest {
  question: Question;
  method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** As in {@link pathOf}. */
  path: string;
  query?: Query;
  body?: unknown;
  contentType?: string;
  signal?: AbortSignal | undefined;
}

/** Requests to one API server. */
export class Requests implements Disposable {
  readonly access: ClusterAccess;
  readonly clock: Clock;
  readonly #userAgent: string;
  readonly #pool: HttpPool;
  #clockLeadMs: number | undefined;

  constructor(
    access: ClusterAccess,
    { clock, userAgent }: { clock: Clock; userAgent: string },
  ) {
    this.access = access;
    this.clock = clock;
    this.#userAgent = userAgent;
    this.#pool = new HttpPool({
      clock,
      dial: ({ certificate, signal }) =>
        withDeadline(
          { ms: dialMs, clock, signal },
          (signal) => dial(access, { certificate, signal }),
        ),
    });
  }

  /** Asks and decodes the JSON of the answer. */
  async json<T>(request: ApiRequest): Promise<T> {
    const text = await this.text(request);
    try {
      return JSON.parse(text);
    } catch (cause) {
      const detail = "what answers is no API server";
      const obstacle = { kind: "protocol", detail } as const;
      throw new ApiUnreachableError(this.access.server, obstacle, { cause });
    }
  }

  /** Asks and reads the whole answer. */
  async text(request: ApiRequest): Promise<string> {
    const { signal } = request;
    return await this.#told(
      { ms: answerMs, signal },
      async (signal) => await readText(await this.#ask({ ...request, signal })),
    );
  }

  /**
   * Asks and gives the answer's body while it arrives, for `lifetimeMs` at most. Reading it rejects with what the
   * connection says: {@link Requests.sorted} makes that this room's error. To be discarded at last.
   */
  async stream(
    request: ApiRequest & { signal: AbortSignal; lifetimeMs: number },
  ): Promise<PoolResponse> {
    const { clock } = this;
    const late = new AbortController();
    const both = AbortSignal.any([request.signal, late.signal]);
    const expire = () => late.abort(tooLate());
    let cancel = clock.after(answerMs, expire);
    try {
      const response = await this.#ask({ ...request, signal: both });
      cancel();
      cancel = clock.after(request.lifetimeMs, expire);
      const discard = () => {
        cancel();
        response.discard();
      };
      return { ...response, discard };
    } catch (error) {
      cancel();
      throw this.sorted(error, request.signal);
    }
  }

  /** By how much this host's clock is before the server's, to the second; `undefined` before an answer told the time. */
  get clockLeadMs(): number | undefined {
    return this.#clockLeadMs;
  }

  /** The headers that say who asks. */
  headers({ authorization }: Proof): HeaderList {
    return [
      ["Host", this.access.server.host],
      ["User-Agent", this.#userAgent],
      ...authorization ? [["Authorization", authorization] as const] : [],
      ...this.access.impersonation,
    ];
  }

  /** The path below that of the server's URL, which some gateways have. */
  target(path: string, query: Query = {}): string {
    const base = this.access.server.pathname.replace(/\/+$/, "");
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value === undefined) continue;
      for (const one of Array.isArray(value) ? value : [value]) {
        parameters.append(name, String(one));
      }
    }
    const text = parameters.toString();
    return `${base}${path}${text && `?${text}`}`;
  }

  /** The error as this room tells it: what is not about the API server, or the caller's own abort, stays. */
  sorted(error: unknown, signal?: AbortSignal): unknown {
    if (signal?.aborted) return signal.reason;
    if (!isFailureOfConnection(error)) return error;
    return new ApiUnreachableError(this.access.server, obstacleOf(error), {
      cause: error,
    });
  }

  [Symbol.dispose](): void {
    this.#pool[Symbol.dispose]();
  }

  async #told<T>(
    { ms, signal }: { ms: number; signal?: AbortSignal | undefined },
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    try {
      return await withDeadline({ ms, clock: this.clock, signal }, work);
    } catch (error) {
      throw this.sorted(error, signal);
    }
  }

  async #ask(
    request: ApiRequest & { signal: AbortSignal },
  ): Promise<PoolResponse> {
    const { credential } = this.access;
    const { signal, question } = request;
    let renewed = false;
    for (let tries = 1;; tries++) {
      const proof = await credential.present({ signal });
      const response = await this.#exchange(request, proof);
      const { status, headers } = response;
      if (status < 400) return response;
      const body = await readText(response);
      if (status === 401 && !renewed && credential.renew(proof)) {
        renewed = true;
        continue;
      }
      const waitMs = Number(headers.get("retry-after") ?? NaN) * 1000;
      if (
        (status === 429 || status === 503) && waitMs <= longestWaitMs &&
        tries < patience
      ) {
        await pause(waitMs, { clock: this.clock, signal });
        signal.throwIfAborted();
        continue;
      }
      throw decodeApiError(question, { status, body });
    }
  }

  async #exchange(
    { method, path, query, body, contentType, signal }: ApiRequest & {
      signal: AbortSignal;
    },
    proof: Proof,
  ): Promise<PoolResponse> {
    const bytes = body === undefined
      ? undefined
      : new TextEncoder().encode(JSON.stringify(body));
    const askedAt = Date.now();
    const response = await this.#pool.exchange({
      method,
      target: this.target(path, query),
      headers: [
        ...this.headers(proof),
        ["Accept", "application/json"],
        ...bytes
          ? [
            ["Content-Type", contentType ?? "application/json"],
            ["Content-Length", String(bytes.length)],
          ] as const
          : [],
      ],
      ...bytes ? { body: bytes } : {},
      certificate: proof.certificate,
      repeatable: method !== "POST",
      signal,
    });
    this.#clockLeadMs = clockLead(response.headers.get("date"), askedAt) ??
      this.#clockLeadMs;
    return response;
  }
}

/** The server wrote its Date between then and now, and the second that had begun. */
function clockLead(
  date: string | undefined,
  askedAt: number,
): number | undefined {
  const told = Date.parse(date ?? "");
  if (Number.isNaN(told)) return undefined;
  return (askedAt + Date.now()) / 2 - (told + 500);
}

function isFailureOfConnection(error: unknown): boolean {
  return error instanceof ObstacleError || error instanceof ConnResetError ||
    error instanceof UnansweredError;
}

function tooLate(): ObstacleError {
  return new ObstacleError({ kind: "timeout", detail: "no answer in time" });
}

async function readText({ body, discard }: PoolResponse): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const piece = await body.read();
    if (piece === null) return text + decoder.decode();
    text += decoder.decode(piece, { stream: true });
    if (text.length > answerLimitBytes) {
      discard();
      throw new RangeError(`Cannot take an answer of ${text.length} bytes`);
    }
  }
}
