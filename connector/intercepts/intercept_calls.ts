/** What `tp` commands ask of the intercepts of a connection, over HTTP. */
import type { ApiClient } from "../../k8s/mod.ts";
import { logger } from "../../log.ts";
import { toFailure } from "../errors.ts";
import { jsonLines } from "../process/json_lines.ts";
import type {
  InterceptEvent,
  InterceptInfo,
  InterceptRequest,
  LeaveRequest,
  WorkloadInfo,
} from "./api.ts";
import type { Intercepts } from "./intercepts.ts";
import { workloadInfos } from "./workload_infos.ts";
import { followNamespace, readNamespace } from "./workload_list.ts";

const log = logger("connector");

export interface InterceptCallsOptions {
  api: ApiClient;
  intercepts: Intercepts;
  /** The connection's. */
  namespace: string;
}

export class InterceptCalls implements Disposable {
  readonly #options: InterceptCallsOptions;
  readonly #closed = new AbortController();

  constructor(options: InterceptCallsOptions) {
    this.#options = options;
  }

  /** Ends the answers that go on. */
  [Symbol.dispose](): void {
    this.#closed.abort();
  }

  /** `undefined` for what is no call of these. */
  async answer(request: Request): Promise<Response | undefined> {
    const url = new URL(request.url);
    switch (`${request.method} ${url.pathname}`) {
      case "POST /intercept":
        return this.#intercept(await request.json());
      case "GET /intercepts":
        return Response.json(this.#options.intercepts.own());
      case "GET /list": {
        const namespace = url.searchParams.get("namespace") ??
          this.#options.namespace;
        return await answered(
          url.searchParams.has("watch")
            ? this.#watch(namespace)
            : this.#list(namespace),
        );
      }
      default:
        return undefined;
    }
  }

  /** Ends one of the connection's. */
  async leave(request: LeaveRequest): Promise<Response> {
    return await answered(this.#options.intercepts.leave(request));
  }

  /** A line for each event. Who goes away before it stands calls it off, and ends it if it is held. */
  #intercept(request: InterceptRequest): Response {
    const { intercepts } = this.#options;
    return jsonLines<InterceptEvent>(async (tell, signal) => {
      try {
        const held = await intercepts.open(request, {
          signal,
          tell: (text) => tell({ event: "progress", text }),
        });
        const { info, ended, failed, onTurn } = held.parts!;
        tell({ event: "intercepted", info: info() });
        if (!request.isHeld) return;
        onTurn((text) => void tell({ event: "turned", text }));
        const reason = await Promise.race([
          ended,
          failed.then((why) => `it has failed: ${why}`),
          aborted(held.signal).then(() => "it was left"),
          aborted(signal),
        ]);
        if (reason !== undefined) tell({ event: "ended", reason });
        await intercepts.release(held);
      } catch (error) {
        log.info("not intercepted", { name: request.name, error });
        tell({ event: "failed", failure: toFailure(error) });
      }
    });
  }

  async #list(namespace: string): Promise<WorkloadInfo[]> {
    const { api } = this.#options;
    const signal = AbortSignal.timeout(30_000);
    const objects = await readNamespace(api, { namespace, signal });
    return workloadInfos(objects, this.#own(namespace));
  }

  #own(namespace: string): InterceptInfo[] {
    return this.#options.intercepts.list().filter((one) =>
      one.namespace === namespace
    );
  }

  /** All of the list, on a line each time that it has changed. */
  async #watch(namespace: string): Promise<Response> {
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, this.#closed.signal]);
    const { api } = this.#options;
    const changes = followNamespace(api, { namespace, signal });
    // What may not be read is told in the place of the lines.
    let next = await changes.next();
    return jsonLines<WorkloadInfo[]>(async (tell, gone) => {
      gone.addEventListener("abort", () => stop.abort());
      for (let last = ""; !next.done; next = await changes.next()) {
        const infos = workloadInfos(next.value, this.#own(namespace));
        const text = JSON.stringify(infos);
        if (text !== last) await tell(infos);
        last = text;
      }
    });
  }
}

async function aborted(signal: AbortSignal): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  if (signal.aborted) resolve();
  await promise;
}

/** The value, or 409 and the failure. */
async function answered(asked: Promise<unknown>): Promise<Response> {
  try {
    const value = await asked;
    return value instanceof Response ? value : Response.json(value);
  } catch (error) {
    log.info("a call failed", { error });
    return Response.json(toFailure(error), { status: 409 });
  }
}
