import { type Conn, ConnBehind } from "../net/mod.ts";

const smallBytes = 4 * 1024;
/** The most that is held of a flow, and so the longest head. */
export const sourceBytes = 64 * 1024;
/** Large buffers that wait for reuse; more are left to the garbage collector. */
const spareLimit = 64;
const spareLarge: Uint8Array[] = [];

/**
 * A flow that is looked at before it is taken: what was read waits in one buffer, small while little comes, until
 * {@link ByteSource.consume} takes it. It is a flow itself, which begins with what waits.
 */
export class ByteSource extends ConnBehind {
  #buffer: Uint8Array = new Uint8Array(smallBytes);
  #start = 0;
  #end = 0;
  #lastRead = 0;
  #filling: Promise<boolean> | undefined;

  /** Takes `conn` over. */
  constructor(conn: Conn) {
    super(conn);
  }

  /** What waits. Valid until the next {@link ByteSource.fill}. */
  get unread(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  get unreadBytes(): number {
    return this.#end - this.#start;
  }

  /** Whether nothing more is read before something is taken. */
  get isFull(): boolean {
    return this.#end - this.#start === sourceBytes;
  }

  /**
   * Waits until more waits than when the read began; false at the peer's end. Calls while one is pending share it, so
   * that nobody is bound to wait for a read that was begun to watch the flow. Not to be called when full.
   *
   * @throws {ConnResetError} when the flow broke off.
   */
  fill(): Promise<boolean> {
    if (this.#filling === undefined) {
      const filling = this.#fill().finally(() => this.#filling = undefined);
      filling.catch(() => {});
      this.#filling = filling;
    }
    return this.#filling;
  }

  async #fill(): Promise<boolean> {
    this.#makeRoom();
    const buffer = this.#buffer;
    const read = await this.conn.read(
      this.#end === 0 ? buffer : buffer.subarray(this.#end),
    );
    if (read === null) return false;
    this.#lastRead = read;
    this.#end += read;
    return true;
  }

  #makeRoom(): void {
    if (this.#start === this.#end) {
      this.#start = this.#end = 0;
      if (this.#lastRead >= smallBytes) this.#resize(sourceBytes);
      else if (this.#lastRead < smallBytes / 4) this.#resize(smallBytes);
      return;
    }
    if (this.#end < this.#buffer.length) return;
    if (this.#start > 0) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    } else if (this.#buffer.length < sourceBytes) this.#resize(sourceBytes);
    else throw new RangeError("Cannot read more: what is held was not taken");
  }

  #resize(bytes: number): void {
    const old = this.#buffer;
    if (old.length === bytes) return;
    this.#buffer = bytes === sourceBytes
      ? spareLarge.pop() ?? new Uint8Array(bytes)
      : new Uint8Array(bytes);
    this.#buffer.set(old.subarray(this.#start, this.#end));
    this.#end -= this.#start;
    this.#start = 0;
    if (old.length === sourceBytes && spareLarge.length < spareLimit) {
      spareLarge.push(old);
    }
  }

  /** Takes `bytes` of what waits. */
  consume(bytes: number): void {
    this.#start += bytes;
  }

  override async read(into: Uint8Array): Promise<number | null> {
    if (this.#start === this.#end) {
      if (this.#filling === undefined) return this.conn.read(into);
      if (!await this.#filling) return null;
    }
    const count = Math.min(this.unreadBytes, into.length);
    into.set(this.#buffer.subarray(this.#start, this.#start + count));
    this.consume(count);
    return count;
  }
}
