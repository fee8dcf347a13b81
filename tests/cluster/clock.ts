/** Clocks that tell a wrong time of day. */
import { join } from "node:path";
import { must } from "./command.ts";
import { compileC } from "./compile_c.ts";
import type { Laptop } from "./laptop.ts";
import { roomDir } from "./paths.ts";

const source = join(roomDir, "clock.c");
/** The library of `clock.c`, to be preloaded. */
function clockLibrary(): Promise<string> {
  return compileC(source, { isLibrary: true });
}

/** The words before a command that make its clock wrong by so many seconds. */
export async function atWrongTime(seconds: number): Promise<string[]> {
  const library = await clockLibrary();
  return ["env", `LD_PRELOAD=${library}`, `CLOCK_OFFSET=${seconds}`];
}

/**
 * Has hours pass for what is dynamically linked on a laptop and began after the first call of this or
 * {@link setLaptopClock}: all its clocks go forward by so many seconds.
 */
export async function passTime(laptop: Laptop, seconds: number): Promise<void> {
  const script = `printf %s "$0" >/etc/clock-passed.next
mv /etc/clock-passed.next /etc/clock-passed`;
  await must(laptop.command(["sh", "-euc", script, String(seconds)]));
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
