/**
 * TLS by `node:tls`, over any flow: for what the runtime's own TLS cannot do (check nothing, check another name, trust
 * only the cluster's own authority, go through a proxy with a client certificate).
 *
 * `node:tls` goes on reading however much is waiting, so the flow below is read only while our reader wants bytes:
 * that gives the sender its back-pressure.
 */
import { Duplex } from "node:stream";
import { connect, type TLSSocket } from "node:tls";
import { type Conn, ConnResetError, writeAll } from "../net/mod.ts";
import type { ClientCertificate } from "./credential.ts";

export interface NodeTlsOptions {
  /** Name or address that the certificate must bear. */
  serverName: string;
  /** PEM certificates of the only authorities; missing: those of the runtime. */
  authority?: string | undefined;
  insecure: boolean;
  certificate?: ClientCertificate;
  signal: AbortSignal;
}

/** Shakes hands over `below`, which belongs to the result, and is closed when this fails. */
export async function startNodeTls(
  below: Conn,
  { serverName, authority, insecure, certificate, signal }: NodeTlsOptions,
): Promise<Conn> {
  const cipherSide = new CipherSide(below);
  const socket = connect({
    socket: cipherSide,
    host: serverName,
    // RFC 6066 section 3: an address is no server name.
    servername: /^[\d.]+$|:/.test(serverName) ? "" : serverName,
    rejectUnauthorized: !insecure,
    ...authority ? { ca: authority } : {},
    ...certificate,
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  socket.once("secureConnect", resolve);
  socket.on("error", reject);
  socket.once("close", () => reject(brokeOff()));
  try {
    await promise;
    return new NodeTlsConn(socket, cipherSide);
  } catch (error) {
    socket.destroy();
    cipherSide.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

const chunkBytes = 64 * 1024;

/** The flow below as node's kind of stream. */
class CipherSide extends Duplex {
  readonly #below: Conn;
  readonly #buffer = new Uint8Array(chunkBytes);
  #gate = Promise.withResolvers<void>();
  #isOpen = false;
  #reading = false;

  constructor(below: Conn) {
    super();
    this.#below = below;
    this.open();
  }

  /** Lets bytes through until {@link CipherSide.shut}. */
  open(): void {
    this.#isOpen = true;
    this.#gate.resolve();
  }

  /** Idempotent: who waits at the gate waits for its next opening. */
  shut(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#gate = Promise.withResolvers<void>();
  }

  override async _read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      await this.#gate.promise;
      const count = await this.#below.read(this.#buffer);
      this.#reading = false;
      this.push(count === null ? null : this.#buffer.slice(0, count));
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  override _write(
    bytes: Uint8Array,
    _encoding: string,
    done: (error?: Error | null) => void,
  ): void {
    writeAll(this.#below, bytes).then(() => done(), done);
  }

  override _destroy(
    error: Error | null,
    done: (error?: Error | null) => void,
  ): void {
    this.#gate.resolve();
    this.#below.close();
    done(error);
  }
}

class NodeTlsConn implements Conn {
  readonly #socket: TLSSocket;
  readonly #cipherSide: CipherSide;
  #arrived: Uint8Array[] = [];
  #ended = false;
  #error: Error | undefined;
  #wake = () => {};

  constructor(socket: TLSSocket, cipherSide: CipherSide) {
    this.#socket = socket;
    this.#cipherSide = cipherSide;
    cipherSide.shut();
    socket.on("data", (bytes: Uint8Array) => {
      this.#arrived.push(bytes);
      this.#wake();
    });
    socket.on("end", () => {
      this.#ended = true;
      this.#wake();
    });
    const onBreak = (cause?: unknown) => {
      this.#error ??= brokeOff(cause);
      this.#wake();
    };
    socket.on("error", onBreak);
    cipherSide.on("error", onBreak);
    cipherSide.on("end", () => onBreak());
    socket.on("close", () => onBreak());
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#arrived.length === 0) {
      if (this.#ended) return null;
      if (this.#error) throw this.#error;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      this.#cipherSide.open();
      await promise;
    }
    this.#cipherSide.shut();
    const head = this.#arrived[0]!;
    const count = Math.min(head.length, into.length);
    into.set(head.subarray(0, count));
    if (count === head.length) this.#arrived.shift();
    else this.#arrived[0] = head.subarray(count);
    return count;
  }

  write(bytes: Uint8Array): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    if (this.#error) return Promise.reject(this.#error);
    this.#socket.write(bytes, (error) => {
      if (error) reject(brokeOff(error));
      else resolve(bytes.length);
    });
    return promise;
  }

  closeWrite(): Promise<void> {
    return new Promise((resolve) => this.#socket.end(resolve));
  }

  close(): void {
    this.#error ??= brokeOff();
    this.#socket.destroy();
    this.#cipherSide.destroy();
    this.#wake();
  }

  reset(): void {
    this.close();
  }
}

function brokeOff(cause?: unknown): ConnResetError {
  return new ConnResetError("Cannot go on: the connection broke off", {
    cause,
  });
}
