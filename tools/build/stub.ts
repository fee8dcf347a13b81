/** Compiles the entry stub and proves that it is one flat piece that nothing has to relocate. */
import { Elf, type Machine, segmentType } from "./elf.ts";
import { run } from "./run.ts";
import type { Stub } from "./splice.ts";

const source = new URL("stub.c", import.meta.url).pathname;
const linkerScript = new URL("stub.ld", import.meta.url).pathname;

const compilerFlags = [
  "-std=gnu11",
  "-Os",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-ffreestanding",
  "-fno-builtin",
  "-fno-stack-protector",
  "-fno-asynchronous-unwind-tables",
  "-fno-tree-loop-distribute-patterns",
  "-fPIC",
  "-fvisibility=hidden",
  "-nostdlib",
  "-static",
  `-Wl,-T,${linkerScript}`,
  "-Wl,--no-relax,--build-id=none,-z,noexecstack,-z,norelro",
];

/**
 * The stub for `machine`, by gcc (a cross compiler for another machine than this one).
 *
 * @throws {Error} when there is no compiler, or the result would need a relocation.
 */
export async function compileStub(machine: Machine): Promise<Stub> {
  const compiler = machine === Deno.build.arch
    ? "gcc"
    : `${machine}-linux-gnu-gcc`;
  const directory = await Deno.makeTempDir();
  try {
    const output = `${directory}/stub.elf`;
    await run(compiler, [...compilerFlags, "-o", output, source]);
    return flatImage(await Deno.readFile(output));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/**
 * The one segment of the linked stub. The linker script has refused writable data and a GOT already; relocations would
 * show as a dynamic segment or a second load.
 */
export function flatImage(file: Uint8Array): Stub {
  const elf = new Elf(file);
  const [only, ...others] = elf.segments.filter(({ type }) =>
    type === segmentType.load || type === segmentType.dynamic
  );
  if (
    only?.type !== segmentType.load || others.length > 0 ||
    only.address !== 0 || only.memoryBytes !== only.fileBytes
  ) {
    throw new Error(
      "Cannot use the stub: it is not one flat image that needs no relocation",
    );
  }
  return {
    image: file.slice(only.offset, only.offset + only.fileBytes),
    entry: elf.entry,
  };
}
