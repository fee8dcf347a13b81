/**
 * The layout of the portable executable, a copy of Deno with an appendix:
 *
 *     Deno's own bytes │ archive │ pad to 64 KiB │ stub, its table first │ flags │ main module
 *                                                └──────────── one more PT_LOAD ─────────────┘
 *
 * Deno's PT_NOTE makes room for the new program header. The archive (modules that are loaded on demand) is not mapped;
 * the program reads it from its own file. `strip` would take the appendix away: the result must not be stripped.
 */
import { Elf, permission, type Segment, segmentType } from "./elf.ts";

/** The largest page of either machine, so that one layout serves both. */
const pageBytes = 0x10000;
/** What `table` in stub.c begins with. */
const magic = "tp-stub1";

/** The compiled entry stub. */
export interface Stub {
  /** The flat image; it begins with its table. */
  image: Uint8Array;
  /** Where it is entered, counted from its start. */
  entry: number;
}

export interface Appendix {
  stub: Stub;
  /** What is put between the program's name and its arguments, e.g. `run -A … /proc/self/fd/100`. */
  flags: readonly string[];
  /** At {@link archiveOffset} of the result. */
  archive: Uint8Array;
  /** The text of the main module. */
  main: Uint8Array;
}

/** Where in the finished file the archive starts. Depends on the base alone, so that the main module can name it. */
export function archiveOffset(base: Uint8Array): number {
  return roundUp(base.length, 16);
}

/**
 * Deno's bytes with the appendix, started through the stub.
 *
 * @throws {TypeError} when `base` is not a Deno that the stub can start, or the stub is none.
 */
export function splice(base: Uint8Array, appendix: Appendix): Uint8Array {
  const { stub, archive, main } = appendix;
  const start = stub.image.subarray(0, magic.length);
  if (new TextDecoder().decode(start) !== magic) {
    throw new TypeError("Cannot use the stub: its image has no table in front");
  }
  const flags = new TextEncoder().encode(
    appendix.flags.map((flag) => `${flag}\0`).join(""),
  );
  const flagsAt = roundUp(stub.image.length, 16);
  const mainAt = roundUp(flagsAt + flags.length, 16);
  const imageAt = roundUp(archiveOffset(base) + archive.length, pageBytes);
  const imageBytes = mainAt + main.length;

  const result = new Uint8Array(imageAt + imageBytes);
  result.set(base);
  result.set(archive, archiveOffset(base));
  result.set(stub.image, imageAt);
  result.set(flags, imageAt + flagsAt);
  result.set(main, imageAt + mainAt);

  const elf = new Elf(result.subarray(0, base.length));
  const address = roundUp(endOf(elf.segments), pageBytes);
  fillTable(result.subarray(imageAt), [
    address,
    elf.entry,
    elf.slotOf("environ"),
    flagsAt,
    flags.length,
    mainAt,
    main.length,
  ]);
  elf.segments = withSegment(elf.segments, {
    type: segmentType.load,
    permissions: permission.read | permission.execute,
    offset: imageAt,
    address,
    fileBytes: imageBytes,
    memoryBytes: imageBytes,
    align: pageBytes,
  });
  elf.entry = address + stub.entry;
  return result;
}

/** The words of `struct table` in stub.c, in its order, after the magic. */
function fillTable(image: Uint8Array, words: number[]): void {
  const view = new DataView(image.buffer, image.byteOffset);
  words.forEach((word, i) => {
    view.setBigUint64(magic.length + 8 * i, BigInt(word), true);
  });
}

/** The note gives way; loads stay in the order of their addresses, as the dynamic linker wants them. */
function withSegment(segments: Segment[], added: Segment): Segment[] {
  const note = segments.findIndex(({ type }) => type === segmentType.note);
  if (note < 0) {
    throw new TypeError(
      "Cannot add a segment: the ELF file has no note to replace",
    );
  }
  const rest = segments.toSpliced(note, 1);
  const last = rest.findLastIndex(({ type }) => type === segmentType.load);
  return rest.toSpliced(last + 1, 0, added);
}

function endOf(segments: Segment[]): number {
  const loads = segments.filter(({ type }) => type === segmentType.load);
  return Math.max(
    ...loads.map(({ address, memoryBytes }) => address + memoryBytes),
  );
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
