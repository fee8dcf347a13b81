import { zipSync } from "fflate";

/** A regular file that only its owner reads and writes (`st_mode`), where zip keeps it for Unix. */
const attributes = 0o100600 << 16 >>> 0;
const unix = 3;

/** One zip of texts by their names. */
export function zipOf(files: ReadonlyMap<string, string>): Uint8Array {
  const encoder = new TextEncoder();
  return zipSync(Object.fromEntries(
    [...files].map(([name, text]) => [
      name,
      [encoder.encode(text), { attrs: attributes, os: unix }],
    ]),
  ));
}

/** Writes a file that only this user can read; what was at `path` is replaced, and never written into. */
export async function writePrivately(
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  const partial = `${path}.${crypto.randomUUID().slice(0, 8)}`;
  try {
    await Deno.writeFile(partial, bytes, { createNew: true, mode: 0o600 });
    await Deno.rename(partial, path);
  } catch (error) {
    await Deno.remove(partial).catch(() => {});
    throw error;
  }
}
