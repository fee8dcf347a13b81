import assert from "node:assert/strict";
import { Elf, type Segment, segmentType } from "./elf.ts";

/** The smallest file that imports `environ`: two program headers, a dynamic section, one relocation. */
function sampleFile(): Uint8Array {
  const bytes = new Uint8Array(0x400);
  const view = new DataView(bytes.buffer);
  const word = (at: number, value: number) =>
    view.setBigUint64(at, BigInt(value), true);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // "\x7fELF", 64 bits, little-endian, version 1
  view.setUint16(18, 62, true); // e_machine: EM_X86_64
  word(24, 0x1234); // e_entry
  word(32, 64); // e_phoff
  view.setUint16(56, 2, true); // e_phnum
  view.setUint32(64, 1, true); // p_type: PT_LOAD
  view.setUint32(68, 5, true); // p_flags: R + X
  [0x100, 0x1100, 0x1100, 0x300, 0x380, 0x1000].forEach((value, i) =>
    word(72 + 8 * i, value) // p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align
  );
  view.setUint32(120, 2, true); // p_type: PT_DYNAMIC
  [0x100, 0x1100, 0x1100, 0x50, 0x50, 8].forEach((value, i) =>
    word(128 + 8 * i, value)
  );
  // DT_RELA, DT_RELASZ, DT_SYMTAB, DT_STRTAB, DT_NULL
  [7, 0x1200, 8, 48, 6, 0x1300, 5, 0x1380, 0, 0].forEach((value, i) =>
    word(0x100 + 8 * i, value)
  );
  word(0x200, 0x2000); // r_offset of the first relocation
  view.setUint32(0x208, 6, true); // R_X86_64_GLOB_DAT
  view.setUint32(0x20c, 1, true); // symbol 1
  word(0x218, 0x2008);
  view.setUint32(0x220, 6, true);
  view.setUint32(0x224, 2, true); // symbol 2
  view.setUint32(0x300 + 24, 1, true); // st_name of symbol 1
  view.setUint32(0x300 + 48, 8, true); // st_name of symbol 2
  bytes.set(new TextEncoder().encode("\0setenv\0environ\0"), 0x380);
  return bytes;
}

Deno.test("Elf reads entry and program headers", () => {
  const elf = new Elf(sampleFile());
  assert.equal(elf.machine, "x86_64");
  assert.equal(elf.entry, 0x1234);
  assert.deepEqual(elf.segments, [
    {
      type: segmentType.load,
      permissions: 5,
      offset: 0x100,
      address: 0x1100,
      fileBytes: 0x300,
      memoryBytes: 0x380,
      align: 0x1000,
    },
    {
      type: segmentType.dynamic,
      permissions: 0,
      offset: 0x100,
      address: 0x1100,
      fileBytes: 0x50,
      memoryBytes: 0x50,
      align: 8,
    },
  ]);
});

Deno.test("Elf.slotOf() finds the slot of a symbol by its name", () => {
  const elf = new Elf(sampleFile());
  assert.equal(elf.slotOf("setenv"), 0x2000);
  assert.equal(elf.slotOf("environ"), 0x2008);
  assert.throws(() => elf.slotOf("env"), /slot of "env": the ELF file imports/);
});

Deno.test("Elf writes back what it reads", () => {
  const bytes = sampleFile();
  const elf = new Elf(bytes);
  elf.segments = elf.segments.toReversed();
  elf.entry = 0x4321;
  const again = new Elf(bytes);
  assert.deepEqual(again.segments.map(({ type }) => type), [2, 1]);
  assert.equal(again.entry, 0x4321);
  elf.segments = elf.segments.toReversed();
  elf.entry = 0x1234;
  assert.deepEqual(bytes, sampleFile());
});

Deno.test("Elf refuses more program headers than there is room for", () => {
  const elf = new Elf(sampleFile());
  const [segment] = elf.segments as [Segment];
  assert.throws(() => {
    elf.segments = [segment, segment, segment];
  }, RangeError);
});

Deno.test("Elf refuses what is not ELF of 64 bits for a known machine", () => {
  const change = (at: number, value: number) =>
    sampleFile().with(at, value) as Uint8Array;
  for (
    const bytes of [
      new Uint8Array(0),
      new TextEncoder().encode("#!/bin/sh\n".repeat(20)),
      change(4, 1), // ELFCLASS32
      change(5, 2), // big-endian
      change(18, 3), // EM_386
    ]
  ) assert.throws(() => new Elf(bytes), TypeError);
});
