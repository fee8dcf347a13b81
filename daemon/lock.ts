/** One process at a time changes the host: the daemon while it runs, or a repair. The kernel frees the lock of the dead. */
import { cString, type Libc } from "./_libc_linux.ts";

const readOnly = 0x80000; // O_RDONLY | O_CLOEXEC
const exclusiveNow = 2 | 4; // LOCK_EX | LOCK_NB

/**
 * Makes `directory`, if need be, root's own, and locks it. `undefined` when another process holds it.
 *
 * @throws when it belongs to somebody else.
 */
export async function lockDirectory(
  libc: Libc,
  directory: string,
): Promise<Disposable | undefined> {
  await makePrivateDirectory(directory);
  const fd = libc.call.open(cString(directory), readOnly);
  if (fd < 0) {
    throw new Error(`Cannot open "${directory}": errno ${libc.errno}`);
  }
  const close = () => void libc.call.close(fd);
  if (libc.call.flock(fd, exclusiveNow) < 0) {
    close();
    return undefined;
  }
  // Who held it before may have removed the directory at its end.
  const [held, there] = await Promise.all([
    Deno.stat(`/proc/self/fd/${fd}`),
    Deno.stat(directory).catch(() => undefined),
  ]);
  if (held.ino === there?.ino) return { [Symbol.dispose]: close };
  close();
  return await lockDirectory(libc, directory);
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
