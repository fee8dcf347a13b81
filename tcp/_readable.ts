/**
 * Tells which sockets have something to receive, or an error, by one thread for all of the process.
 *
 * 1. While any is watched, a thread waits for the kernel's word.
 * 2. Those that it names are called one after the other. Each receives as much as it likes: for the rest it is named
 *    again. One that throws is a mistake, which is logged and harms no other.
 */
import { logger } from "../log.ts";
import type { Poll } from "./_poll.ts";
import { DarwinPoll } from "./_poll_darwin.ts";
import { LinuxPoll } from "./_poll_linux.ts";

const log = logger("tcp");

const onReadable = new Map<number, () => void>();

let poll: Poll | undefined;
let isServing = false;
/** Resolves when the thread does not wait. */
let turn = Promise.withResolvers<void>();

/** Calls `onReady` whenever there is something to receive from a socket, or an error. Throws `SystemError`. */
export function watchReadable(fd: number, onReady: () => void): void {
  poll ??= Deno.build.os === "darwin" ? new DarwinPoll() : new LinuxPoll();
  poll.add(fd);
  onReadable.set(fd, onReady);
  if (!isServing) void serve(poll);
}

/** To be called before the socket is closed. Resolves when no thread waits if nothing else is watched. */
export async function unwatchReadable(fd: number): Promise<void> {
  if (!onReadable.delete(fd)) return;
  poll!.remove(fd);
  if (onReadable.size > 0) return;
  poll!.ring();
  await turn.promise;
}

async function serve(poll: Poll): Promise<void> {
  isServing = true;
  while (onReadable.size > 0) {
    const count = await poll.wait();
    comeBack();
    for (let i = 0; i < count; i++) {
      const named = poll.named(i);
      if (named !== undefined) callOne(named);
    }
  }
  isServing = false;
  comeBack();
}

function callOne(fd: number): void {
  try {
    onReadable.get(fd)?.();
  } catch (error) {
    log.error("what a socket had was not taken", { error });
  }
}

function comeBack(): void {
  turn.resolve();
  turn = Promise.withResolvers();
}
