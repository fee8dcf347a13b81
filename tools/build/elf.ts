/** What the build reads from and writes into an ELF64 little-endian file. Pure. */

/** Program header types, `elf(5)`. */
export const segmentType = { load: 1, dynamic: 2, note: 4 } as const;
/** Program header permissions. */
export const permission = { execute: 1, write: 2, read: 4 } as const;

/** `e_machine`. */
export type Machine = "x86_64" | "aarch64";

/** One program header. Addresses are those of the file, before it is loaded somewhere. */
export interface Segment {
  type: number;
  permissions: number;
  offset: number;
  address: number;
  fileBytes: number;
  memoryBytes: number;
  align: number;
}

const machines: ReadonlyMap<number, Machine> = new Map([
  [62, "x86_64"],
  [183, "aarch64"],
]);
/** `R_X86_64_GLOB_DAT`, `R_AARCH64_GLOB_DAT`: the slot receives a symbol's address. */
const globDat: Record<Machine, number> = { "x86_64": 6, aarch64: 1025 };
/** Entries of the dynamic section. */
const tag = {
  end: 0,
  strings: 5,
  symbols: 6,
  relocations: 7,
  size: 8,
} as const;
const segmentBytes = 56;
const symbolBytes = 24;
const relocationBytes = 24;

/** A view of an ELF file's bytes; changes go into these bytes. */
export class Elf {
  readonly machine: Machine;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  /** @throws {TypeError} when the bytes are not an ELF64 little-endian file for a machine of {@link Machine}. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(
      bytes.buffer,
      bytes.byteOffset,
      bytes.byteLength,
    );
    const isElf64 = bytes.length >= 64 &&
      this.#view.getUint32(0) === 0x7f454c46 && // "\x7fELF"
      bytes[4] === 2 && bytes[5] === 1; // ELFCLASS64, ELFDATA2LSB
    const machine = isElf64
      ? machines.get(this.#view.getUint16(18, true))
      : undefined;
    if (machine === undefined) {
      throw new TypeError(
        "Cannot read the ELF file: it is not one of 64 bits for x86_64 or aarch64",
      );
    }
    this.machine = machine;
  }

  /** `e_entry`: where the program starts. */
  get entry(): number {
    return this.#number(24);
  }

  set entry(address: number) {
    this.#view.setBigUint64(24, BigInt(address), true);
  }

  get segments(): Segment[] {
    const start = this.#number(32);
    return Array.from({ length: this.#view.getUint16(56, true) }, (_, i) => {
      const at = start + i * segmentBytes;
      return {
        type: this.#view.getUint32(at, true),
        permissions: this.#view.getUint32(at + 4, true),
        offset: this.#number(at + 8),
        address: this.#number(at + 16),
        fileBytes: this.#number(at + 32),
        memoryBytes: this.#number(at + 40),
        align: this.#number(at + 48),
      };
    });
  }

  /** Writes the table of program headers. @throws {RangeError} when their number differs: there is no room for more. */
  set segments(segments: Segment[]) {
    const start = this.#number(32);
    const room = this.#view.getUint16(56, true);
    if (segments.length !== room) {
      throw new RangeError(
        `Cannot write ${segments.length} program headers: there is room for ${room}`,
      );
    }
    segments.forEach((segment, i) => {
      const at = start + i * segmentBytes;
      this.#view.setUint32(at, segment.type, true);
      this.#view.setUint32(at + 4, segment.permissions, true);
      const words = [
        segment.offset,
        segment.address,
        segment.address, // the physical address, which nobody reads
        segment.fileBytes,
        segment.memoryBytes,
        segment.align,
      ];
      words.forEach((word, k) => {
        this.#view.setBigUint64(at + 8 + 8 * k, BigInt(word), true);
      });
    });
  }

  /**
   * The address of the GOT slot that the dynamic linker fills with the address of a library's `symbol`.
   *
   * @throws {TypeError} when the file has none.
   */
  slotOf(symbol: string): number {
    const dynamic = this.#dynamic();
    const start = this.#offsetOf(dynamic.get(tag.relocations) ?? 0);
    const end = start + (dynamic.get(tag.size) ?? 0);
    const symbols = this.#offsetOf(dynamic.get(tag.symbols) ?? 0);
    const strings = this.#offsetOf(dynamic.get(tag.strings) ?? 0);
    for (let at = start; at < end; at += relocationBytes) {
      if (this.#view.getUint32(at + 8, true) !== globDat[this.machine]) {
        continue;
      }
      const index = this.#view.getUint32(at + 12, true);
      const name = this.#view.getUint32(symbols + index * symbolBytes, true);
      if (this.#text(strings + name) === symbol) return this.#number(at);
    }
    throw new TypeError(
      `Cannot find the slot of "${symbol}": the ELF file imports none`,
    );
  }

  #dynamic(): Map<number, number> {
    const found = new Map<number, number>();
    const segment = this.segments.find(({ type }) =>
      type === segmentType.dynamic
    );
    if (segment === undefined) return found;
    const end = segment.offset + segment.fileBytes;
    for (let at = segment.offset; at < end; at += 16) {
      const name = this.#number(at);
      if (name === tag.end) break;
      found.set(name, this.#number(at + 8));
    }
    return found;
  }

  #offsetOf(address: number): number {
    for (const segment of this.segments) {
      const inside = address - segment.address;
      if (
        segment.type === segmentType.load && inside >= 0 &&
        inside < segment.fileBytes
      ) return segment.offset + inside;
    }
    throw new TypeError(
      `Cannot find the ELF address ${address}: no segment of the file holds it`,
    );
  }

  #text(at: number): string {
    const end = this.#bytes.indexOf(0, at);
    return new TextDecoder().decode(this.#bytes.subarray(at, end));
  }

  #number(at: number): number {
    return Number(this.#view.getBigUint64(at, true));
  }
}
