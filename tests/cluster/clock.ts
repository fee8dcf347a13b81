/** Clocks that tell a wrong time of day. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { must } from "./command.ts";
import type { Laptop } from "./laptop.ts";
import { cacheDir, roomDir } from "./paths.ts";

const source = join(roomDir, "clock.c");
const compilerFlags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"];

/** The library of `clock.c`, to be preloaded; compiled once for each content. */
export async function clockLibrary(): Promise<string> {
  const text = await Deno.readFile(source);
  const key = createHash("sha256").update(text).digest("hex").slice(0, 12);
  const path = join(cacheDir, `clock-${key}.so`);
  if (await Deno.stat(path).catch(() => undefined)) return path;
  await Deno.mkdir(cacheDir, { recursive: true });
  const scratch = `${path}.${crypto.randomUUID()}`;
  const output = ["-shared", "-fPIC", "-o", scratch];
  await must(["gcc", ...compilerFlags, ...output, source]);
  await Deno.rename(scratch, path);
  return path;
}

/** The words before a command that make its clock wrong by so many seconds. */
export async function atWrongTime(seconds: number): Promise<string[]> {
  const library = await clockLibrary();
  return ["env", `LD_PRELOAD=${library}`, `CLOCK_OFFSET=${seconds}`];
}

/**
 * Makes the clock of a laptop wrong by so many seconds. Whatever is dynamically linked and begins after the first call
 * has it, root's processes, too; later calls are set for those at once.
 */
export async function setLaptopClock(
  laptop: Laptop,
  seconds: number,
): Promise<void> {
  const script = `umask 022
cat >/etc/clock.so.next; mv /etc/clock.so.next /etc/clock.so
printf %s "$0" >/etc/clock-offset.next; mv /etc/clock-offset.next /etc/clock-offset
echo /etc/clock.so >/etc/ld.so.preload`;
  await must(laptop.command(["sh", "-euc", script, String(seconds)]), {
    stdin: await Deno.readFile(await clockLibrary()),
  });
}
