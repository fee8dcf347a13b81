/**
 * Serves the streams that the manager opens, for laptops that have an intercept here: environment and volumes of the
 * containers that the configuration names, ports of the pod's loopback address, and other addresses as a rule says.
 */
import { logger, setLogLevelFor } from "../log.ts";
import {
  type AgentContainer,
  carriesDatagrams,
  type ContainerEnvironment,
  decodePodTarget,
  type LogWish,
  type PodPort,
  type PodTarget,
  type Rule,
  whyNotVia,
} from "../manager/api.ts";
import {
  type Clock,
  type Conn,
  Ip,
  pipe,
  pipeDatagrams,
  RefusedError,
  Slots,
  udpIdleMs,
  writeAnswer,
} from "../net/mod.ts";
import { dialTcp, refusalOfError, UdpDatagrams, UnixConn } from "../tcp/mod.ts";
import type { Incoming } from "../tunnel/mod.ts";
import { parseEnviron } from "./environment.ts";

const log = logger("agent");

/** Streams at a time, those that leave the pod apart; who comes above is refused as overloaded. */
const maxStreams = 256;
const maxOutward = 2048;
/** More than the kernel lets a process have. */
const maxEnvironBytes = 8 * 1024 * 1024;
const [loopback4, loopback6] = [Ip.parse("127.0.0.1"), Ip.parse("::1")];

export interface PodServiceOptions {
  readonly containers: readonly AgentContainer[];
  /** Has a directory for each of them. */
  readonly directory: string;
  /** The rule of an intercept, while it is in force. */
  readonly findRule: (intercept: string) => Rule | undefined;
  readonly clock: Clock;
}

export class PodService implements AsyncDisposable {
  readonly #options: PodServiceOptions;
  readonly #streams = new Slots(maxStreams);
  readonly #outward = new Slots(maxOutward);

  constructor(options: PodServiceOptions) {
    this.#options = options;
  }

  /** Answers one stream. Returns at once; nothing is thrown later. */
  serve(incoming: Incoming): void {
    this.#serve(incoming).catch((error) => {
      const { refusal, message } = refusalOfError(error);
      incoming.refuse(refusal, message);
    });
  }

  /** To be called once the sessions are over. Resolves when nothing of what they asked for is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#streams.empty();
    await this.#outward.empty();
  }

  async #serve(incoming: Incoming): Promise<void> {
    const target = decodePodTarget(incoming.target);
    if (
      target === undefined || carriesDatagrams(target) !== incoming.datagrams
    ) {
      const detail = "The agent does not know what is wanted of it";
      throw new RefusedError("unknown-target", detail);
    }
    const slots = target.kind === "address" ? this.#outward : this.#streams;
    using place = slots.take();
    if (place === undefined) {
      throw new RefusedError("overloaded", "The agent has no room for more");
    }
    if (target.kind === "log") {
      await serveLogWish(incoming, target);
    } else if (target.kind === "environment") {
      await this.#serveEnvironment(incoming, target.container);
    } else if (target.kind === "files") {
      const { name } = this.#container(target.container);
      const files = await this.#connect(name, "files.sock");
      await pipe(files, incoming.accept());
    } else if (target.kind === "loopback") {
      await this.#serveLoopback(incoming, target.port);
    } else await this.#serveAddress(incoming, target);
  }

  async #serveEnvironment(incoming: Incoming, name: string): Promise<void> {
    const { mounts } = this.#container(name);
    const bytes = await readAll(await this.#connect(name, "environment.sock"));
    const answer: ContainerEnvironment = {
      environment: parseEnviron(bytes),
      mounts,
    };
    const text = JSON.stringify(answer);
    await writeAnswer(incoming.accept(), new TextEncoder().encode(text));
  }

  async #serveLoopback(incoming: Incoming, to: PodPort): Promise<void> {
    const { clock } = this.#options;
    const { port } = to;
    if (to.protocol === "UDP") {
      return await this.#joinDatagrams(incoming, { ip: loopback4, port });
    }
    const { signal } = incoming;
    const dial = (ip: Ip) => dialTcp({ ip, port }, { signal, clock });
    const conn = await dial(loopback4).catch((error) =>
      dial(loopback6).catch(() => {
        throw error;
      })
    );
    await pipe(conn, incoming.accept());
  }

  /** The manager has looked at the subnets; it is looked at them here as well, since who speaks may be another release. */
  async #serveAddress(
    incoming: Incoming,
    { ip, port: { port }, intercept }: PodTarget & { kind: "address" },
  ): Promise<void> {
    const { clock, findRule } = this.#options;
    const rule = findRule(intercept);
    if (rule?.mode !== "proxy-via") {
      throw new RefusedError("gone", "The intercept is not in force");
    }
    const why = whyNotVia(ip, rule.subnets);
    if (why !== undefined) throw new RefusedError("forbidden", why);
    if (incoming.datagrams) {
      return await this.#joinDatagrams(incoming, { ip, port });
    }
    const { signal } = incoming;
    const conn = await dialTcp({ ip, port }, { signal, clock });
    await pipe(conn, incoming.accept());
  }

  async #joinDatagrams(
    incoming: Incoming,
    to: { ip: Ip; port: number },
  ): Promise<void> {
    const { clock } = this.#options;
    const flow = new UdpDatagrams(to, { clock, idleMs: udpIdleMs.acceptor });
    await pipeDatagrams(flow, incoming.acceptDatagrams());
  }

  /** @throws {RefusedError} when the pod's configuration does not name it. */
  #container(name: string): AgentContainer {
    const found = this.#options.containers.find((one) => one.name === name);
    if (found !== undefined) return found;
    const detail = `Nothing of container "${name}" can be had here`;
    throw new RefusedError("forbidden", detail);
  }

  async #connect(container: string, socket: string): Promise<Conn> {
    const path = `${this.#options.directory}/${container}/${socket}`;
    try {
      return new UnixConn(await Deno.connect({ transport: "unix", path }));
    } catch (cause) {
      const state = cause instanceof Error ? cause.message : String(cause);
      const detail = `Cannot ask container "${container}": ${state}`;
      throw new RefusedError("unreachable", detail, { cause });
    }
  }
}

/** The manager, which asks, has written down whose wish it is. */
async function serveLogWish(
  incoming: Incoming,
  { level, seconds }: LogWish,
): Promise<void> {
  setLogLevelFor(level, seconds * 1000);
  log.info("log level", { wished: level, seconds });
  await writeAnswer(incoming.accept(), new Uint8Array());
}

/** Reads to the end, and closes. */
async function readAll(conn: Conn): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(64 * 1024);
  try {
    for (let length = 0;;) {
      const read = await conn.read(buffer);
      if (read === null) break;
      parts.push(buffer.slice(0, read));
      length += read;
      if (length > maxEnvironBytes) {
        throw new RefusedError("failed", "The environment is too large");
      }
    }
  } finally {
    conn.close();
  }
  return await new Blob(parts as BlobPart[]).bytes();
}
