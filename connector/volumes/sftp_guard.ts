import { type Conn, ConnResetError } from "../../net/mod.ts";
import { linkOfAttributes, sftpTypes } from "./sftp_packet.ts";

/** Length and type of a packet. */
const headBytes = 5;
/** Attributes are shorter, but for what no server of files adds to them. */
const attributesLimit = 1024;

/**
 * An SFTP stream whose server tells of no symbolic link. With `follow_symlinks` sshfs asks for what links lead to, so an
 * honest server has none to tell of. A link that came nevertheless would be followed by the laptop's kernel, to the
 * laptop's own files; here it becomes a file, which the server may answer for.
 */
export function withoutLinks(conn: Conn): Conn {
  const guard = new Guard(conn);
  return {
    read: (into) => guard.read(into),
    write: (bytes) => conn.write(bytes),
    closeWrite: () => conn.closeWrite(),
    close: () => conn.close(),
    reset: () => conn.reset(),
  };
}

class Guard {
  readonly #conn: Conn;
  readonly #packet = new Uint8Array(attributesLimit);
  /** What of the packet is to be given out: from where, up to where. */
  #at = 0;
  #end = 0;
  /** Bytes of a packet that are passed on as they come. */
  #passing = 0;

  constructor(conn: Conn) {
    this.#conn = conn;
  }

  async read(into: Uint8Array): Promise<number | null> {
    if (this.#at === this.#end && this.#passing === 0) {
      if (!await this.#begin()) return null;
    }
    const count = Math.min(this.#end - this.#at, into.length);
    if (count > 0) {
      into.set(this.#packet.subarray(this.#at, this.#at + count));
      this.#at += count;
      return count;
    }
    const passed = await this.#conn.read(into.subarray(0, this.#passing));
    this.#passing -= passed ?? 0;
    return passed;
  }

  /** Takes the head of a packet, or all of one that is looked at. Resolves to false at the end. */
  async #begin(): Promise<boolean> {
    this.#at = this.#end = 0;
    if (!await this.#take(headBytes)) return false;
    const view = new DataView(this.#packet.buffer);
    const rest = view.getUint32(0) - 1;
    if (this.#packet[4] !== sftpTypes.attributes) {
      this.#passing = Math.max(0, rest);
      return true;
    }
    if (rest > attributesLimit - headBytes) {
      throw new ConnResetError("Cannot read: attributes that are too long");
    }
    if (!await this.#take(rest)) return false;
    const mode = linkOfAttributes(this.#packet.subarray(0, this.#end));
    if (mode !== undefined) {
      view.setUint32(mode, view.getUint32(mode) & 0o7777 | 0o100000);
    }
    return true;
  }

  async #take(count: number): Promise<boolean> {
    for (const end = this.#end + count; this.#end < end;) {
      const room = this.#packet.subarray(this.#end, end);
      const read = await this.#conn.read(room);
      if (read === null) return false;
      this.#end += read;
    }
    return true;
  }
}
