/** One process at a time changes the host: the daemon while it runs, or a repair. The kernel frees the lock of the dead. */
import type { Sockets } from "./sockets.ts";

/**
 * Makes `directory`, if need be, root's own, and locks it. `undefined` when another process holds it.
 *
 * @throws when it belongs to somebody else.
 */
export async function lockDirectory(
  sockets: Sockets,
  directory: string,
): Promise<Disposable | undefined> {
  await makePrivateDirectory(directory);
  const held = sockets.lock(directory);
  if (held === undefined) return undefined;
  // Who held it before may have removed the directory at its end.
  const there = await Deno.stat(directory).catch(() => undefined);
  if (held.inode === there?.ino) return held;
  held[Symbol.dispose]();
  return await lockDirectory(sockets, directory);
}

async function makePrivateDirectory(directory: string): Promise<void> {
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
  const { isDirectory, uid } = await Deno.lstat(directory);
  if (!isDirectory || uid !== Deno.uid()) {
    throw new Error(
      `Cannot use "${directory}": it is not root's own directory`,
    );
  }
  await Deno.chmod(directory, 0o700);
}
