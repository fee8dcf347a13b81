/**
 * One port of a pod by `kubectl port-forward`, which runs as long as the flow.
 *
 * 1. kubectl is given the same kubeconfig, context and namespace. It chooses a free port of the loopback address and
 *    says which.
 * 2. The flow is a connection to that port; it is used only if this user listens there.
 * 3. kubectl ends with the flow. A shell stands between, which ends it when this process is gone, too.
 *
 * While it runs, every user of the laptop can connect to its port, and so reach the port in the pod: what listens there
 * must not take a connection for a proof of who comes.
 */
import { type Conn, ConnResetError } from "../net/mod.ts";
import { DenoConn } from "./_deno_conn.ts";
import { KubectlChild } from "./_kubectl_child.ts";
import { listensHere } from "./_own_port_linux.ts";
import type { Way } from "./_way.ts";
import { ObstacleError } from "./unreachable.ts";

/** How long an ended flow without a byte waits for an error, in ms. */
const lastWordsMs = 1_000;

export const kubectlWay: Way = {
  async open({ access }, { namespace, pod, port }, signal) {
    const child = KubectlChild.start(access.kubectl!, [
      ...["--namespace", namespace, "port-forward", `pod/${pod}`, `:${port}`],
      ...["--address=127.0.0.1", "--pod-running-timeout=10s"],
    ]);
    const end = () => child.end();
    signal.addEventListener("abort", end, { once: true });
    try {
      const hostPort = await forwardedPort(child);
      const conn = await Deno.connect({
        ...{ hostname: "127.0.0.1", port: hostPort, signal },
      });
      conn.setNoDelay(true);
      if (!await listensHere(hostPort)) {
        conn.close();
        throw failed("somebody else listens on its port");
      }
      return new KubectlConn(new DenoConn(conn), child);
    } catch (error) {
      end();
      signal.throwIfAborted();
      throw error instanceof ObstacleError ? error : failed("not there", error);
    } finally {
      signal.removeEventListener("abort", end);
    }
  },
};

/** The port that kubectl listens on. */
async function forwardedPort(child: KubectlChild): Promise<number> {
  for await (const line of child.lines()) {
    const [, port] = /^Forwarding from 127\.0\.0\.1:(\d+) /.exec(line) ?? [];
    if (port !== undefined) return Number(port);
  }
  throw failed(await child.lastWords(lastWordsMs) || "it ended");
}

function failed(state: string, cause?: unknown): ObstacleError {
  const detail = `kubectl port-forward: ${state}`;
  return new ObstacleError({ kind: "protocol", detail }, { cause });
}

/** The flow through kubectl's port. */
class KubectlConn implements Conn {
  readonly #conn: Conn;
  readonly #child: KubectlChild;
  #answered = false;

  constructor(conn: Conn, child: KubectlChild) {
    this.#conn = conn;
    this.#child = child;
  }

  async read(into: Uint8Array): Promise<number | null> {
    let broken: unknown;
    const count = await this.#conn.read(into).catch((error) => {
      broken = error;
      return null;
    });
    if (count !== null) {
      this.#answered = true;
      return count;
    }
    // kubectl ends the connection in the same way whatever has happened; its words tell.
    if (!this.#answered || this.#child.hasEnded) {
      const error = await this.#child.podError(lastWordsMs);
      if (!error.isEmpty) throw error.toError(this.#answered);
      if (this.#child.hasEnded) {
        throw new ConnResetError("Cannot go on: kubectl has ended");
      }
    }
    if (broken !== undefined) throw broken;
    return null;
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#conn.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  close(): void {
    this.#conn.close();
    this.#child.end();
  }

  reset(): void {
    this.close();
  }
}
