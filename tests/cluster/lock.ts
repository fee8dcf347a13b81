import { join } from "node:path";
import { cacheDir } from "./paths.ts";
import { say } from "./step.ts";
import { sleep } from "./wait.ts";

/**
 * Does `work` while no other process changes the bed; waits up to 30 minutes, since another one may be compiling.
 *
 * @throws {Error} when that time is up
 */
export async function alone<T>(work: () => Promise<T>): Promise<T> {
  await Deno.mkdir(cacheDir, { recursive: true });
  const path = join(cacheDir, "lock");
  using file = await Deno.open(path, { write: true, create: true });
  const endMs = performance.now() + 30 * 60_000;
  for (let tries = 0; !await file.tryLock(true); tries++) {
    if (tries === 0) say("bed: waiting for another process that changes it");
    if (performance.now() > endMs) {
      throw new Error(
        `Cannot change the test bed: another process holds ${path}; end it and try again`,
      );
    }
    await sleep(200);
  }
  return await work();
}
