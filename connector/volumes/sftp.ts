import { type Conn, ConnResetError, writeAll } from "../../net/mod.ts";
import {
  encodeSftp,
  type SftpAttributes,
  sftpEnd,
  SftpReader,
  SftpStatusError,
  sftpTypes,
} from "./sftp_packet.ts";

/** What OpenSSH's server gives in one packet. */
const readBytes = 255 * 1024;
/** No server's packet is longer; names and attributes of a directory come in several. */
const packetLimit = 256 * 1024 + 1024;

export interface SftpEntry {
  readonly name: string;
  /** Of the entry itself, also where it is a link. */
  readonly attributes: SftpAttributes;
}

type Pending = PromiseWithResolvers<SftpReader> & { type: number };

/** A client of SFTP that reads. Its methods may be called side by side; all reject once the stream has broken. */
export class SftpClient implements Disposable {
  readonly #conn: Conn;
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;
  /** The write under way: one at a time. */
  #written: Promise<unknown> = Promise.resolve();
  #broken: Error | undefined;

  private constructor(conn: Conn) {
    this.#conn = conn;
  }

  /** Greets the server. The client owns `conn` from here on. @throws {Error} if no SFTP server answers */
  static async open(conn: Conn): Promise<SftpClient> {
    const client = new SftpClient(conn);
    try {
      await writeAll(conn, encodeSftp(sftpTypes.init, [3]));
      const greeting = await client.#packet();
      const [type, version] = [greeting.byte(), greeting.number()];
      if (type !== sftpTypes.version || version < 3) {
        throw new Error("Cannot read files: no SFTP server of version 3");
      }
    } catch (error) {
      conn.reset();
      throw error;
    }
    client.#listen();
    return client;
  }

  /** What is at a path, at the end of links. */
  async stat(path: string): Promise<SftpAttributes> {
    const answer = await this.#ask("stat", "attributes", [path]);
    return answer.attributes();
  }

  /** A path without links. */
  async realPath(path: string): Promise<string> {
    const answer = await this.#ask("realPath", "name", [path]);
    if (answer.number() !== 1) throw new Error("Cannot read an SFTP path");
    return answer.text();
  }

  /** What is in a directory but itself and its parent. */
  async *readDirectory(path: string): AsyncGenerator<SftpEntry> {
    const handle = await this.#handle("openDirectory", [path]);
    try {
      for (;;) {
        const answer = await this.#unlessEnd("readDirectory", "name", [handle]);
        if (answer === undefined) return;
        for (let left = answer.number(); left > 0; left--) {
          const name = answer.text();
          answer.octets(); // As `ls -l` would show it.
          const attributes = answer.attributes();
          if (name !== "." && name !== "..") yield { name, attributes };
        }
      }
    } finally {
      await this.#close(handle);
    }
  }

  /** The bytes of a file, `limit` at most. */
  async readFile(path: string, limit: number): Promise<Uint8Array> {
    const handle = await this.#handle("open", [path, 1, 0]); // For reading; no attributes.
    const chunks: Uint8Array[] = [];
    let size = 0;
    try {
      while (size < limit) {
        const count = Math.min(readBytes, limit - size);
        const fields = [handle, BigInt(size), count];
        const answer = await this.#unlessEnd("read", "data", fields);
        const chunk = answer?.octets();
        if (chunk === undefined || chunk.length === 0) break;
        chunks.push(chunk.subarray(0, count));
        size += Math.min(chunk.length, count);
      }
    } finally {
      await this.#close(handle);
    }
    const file = new Uint8Array(size);
    let at = 0;
    for (const chunk of chunks) {
      file.set(chunk, at);
      at += chunk.length;
    }
    return file;
  }

  [Symbol.dispose](): void {
    this.#break(new ConnResetError("Cannot read files: closed"));
  }

  async #handle(
    type: keyof typeof sftpTypes,
    fields: (string | number)[],
  ): Promise<Uint8Array> {
    return (await this.#ask(type, "handle", fields)).octets().slice();
  }

  async #close(handle: Uint8Array): Promise<void> {
    // The file is read, or the stream broken: what comes of it changes nothing.
    await this.#ask("close", "status", [handle]).catch(() => {});
  }

  async #unlessEnd(
    type: keyof typeof sftpTypes,
    wanted: keyof typeof sftpTypes,
    fields: (number | bigint | Uint8Array)[],
  ): Promise<SftpReader | undefined> {
    try {
      return await this.#ask(type, wanted, fields);
    } catch (error) {
      if (error instanceof SftpStatusError && error.code === sftpEnd) return;
      throw error;
    }
  }

  /** Resolves to the answer, at its first field. @throws {SftpStatusError} for an answer of another kind */
  async #ask(
    type: keyof typeof sftpTypes,
    wanted: keyof typeof sftpTypes,
    fields: readonly (number | bigint | string | Uint8Array)[],
  ): Promise<SftpReader> {
    if (this.#broken) throw this.#broken;
    const id = this.#nextId++ & 0xffff_ffff;
    const packet = encodeSftp(sftpTypes[type], [id >>> 0, ...fields]);
    const answer = {
      ...Promise.withResolvers<SftpReader>(),
      type: sftpTypes[wanted],
    };
    this.#pending.set(id >>> 0, answer);
    this.#written = this.#written.then(() => writeAll(this.#conn, packet))
      .catch((error) => this.#break(error));
    return await answer.promise;
  }

  async #listen(): Promise<void> {
    try {
      for (;;) this.#take(await this.#packet());
    } catch (error) {
      this.#break(error as Error);
    }
  }

  #take(packet: SftpReader): void {
    const [type, id] = [packet.byte(), packet.number()];
    const waiting = this.#pending.get(id);
    if (waiting === undefined) {
      throw new Error("Cannot read files: an answer that was not asked for");
    }
    if (type === waiting.type && type !== sftpTypes.status) {
      waiting.resolve(packet);
    } else if (type === sftpTypes.status) {
      const code = packet.number();
      if (code === 0 && waiting.type === type) waiting.resolve(packet);
      else waiting.reject(new SftpStatusError(code, packet.text()));
    } else {
      throw new Error(`Cannot read files: unexpected packet ${type}`);
    }
    this.#pending.delete(id);
  }

  /** The next packet without its length, in memory of its own. */
  async #packet(): Promise<SftpReader> {
    const head = await this.#exactly(4);
    const length = new DataView(head.buffer).getUint32(0);
    if (length < 5 || length > packetLimit) {
      throw new Error(`Cannot read files: a packet of ${length} bytes`);
    }
    return new SftpReader(await this.#exactly(length));
  }

  async #exactly(length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const count = await this.#conn.read(bytes.subarray(at));
      if (count === null) {
        throw new ConnResetError("Cannot read files: the stream has ended");
      }
      at += count;
    }
    return bytes;
  }

  #break(error: Error): void {
    this.#broken ??= error;
    this.#conn.reset();
    for (const { reject } of this.#pending.values()) reject(this.#broken);
    this.#pending.clear();
  }
}
