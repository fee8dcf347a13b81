/**
 * Tells which sockets have something to receive, or an error, by one thread for all of the process.
 *
 * 1. While any is watched, a thread waits for the kernel's word (epoll(7)).
 * 2. Those that it names are called one after the other. Each receives as much as it likes: for the rest it is named
 *    again. One that throws is a mistake, which is logged and harms no other.
 */
import { logger } from "../log.ts";
import {
  closeOnExec,
  libc,
  nonBlocking,
  SystemError,
} from "./_udp_libc_linux.ts";

const log = logger("tcp");

const controls = { add: 1, remove: 2 } as const; // EPOLL_CTL_ADD, EPOLL_CTL_DEL
const readable = 1; // EPOLLIN; of an error the kernel tells unasked
const maxEvents = 256;
/** A process that ends with a socket open is not held up for longer. */
const waitMs = 500;

/** `struct epoll_event` is packed on x86-64 only. */
const dataAt = Deno.build.arch === "x86_64" ? 4 : 8;
const eventBytes = dataAt + 8;

const onReadable = new Map<number, () => void>();
/** What the kernel writes into: left alone while the thread waits. */
const told = new Uint8Array(maxEvents * eventBytes);
const toldView = new DataView(told.buffer);
const asked = new Uint8Array(eventBytes);
const askedView = new DataView(asked.buffer);
const ring = new Uint8Array(new BigUint64Array([1n]).buffer);
const rung = new Uint8Array(8);

interface Poll {
  readonly fd: number;
  /** Something to receive here wakes the thread. */
  readonly bell: number;
}

let poll: Poll | undefined;
let isServing = false;
/** Resolves when the thread does not wait. */
let turn = Promise.withResolvers<void>();

/** Calls `onReady` whenever there is something to receive from a socket, or an error. Throws {@link SystemError}. */
export function watchReadable(fd: number, onReady: () => void): void {
  poll ??= openPoll();
  add(poll, fd);
  onReadable.set(fd, onReady);
  if (!isServing) void serve(poll);
}

/** To be called before the socket is closed. Resolves when no thread waits if nothing else is watched. */
export async function unwatchReadable(fd: number): Promise<void> {
  if (!onReadable.delete(fd)) return;
  libc.epollControl(poll!.fd, controls.remove, fd, asked);
  if (onReadable.size > 0) return;
  libc.write(poll!.bell, ring, 8n);
  await turn.promise;
}

function openPoll(): Poll {
  const fd = libc.epollCreate(closeOnExec);
  if (fd < 0) throw new SystemError("wait for sockets");
  const bell = libc.eventfd(0, closeOnExec | nonBlocking);
  try {
    if (bell < 0) throw new SystemError("wait for sockets");
    add({ fd, bell }, bell);
    return { fd, bell };
  } catch (error) {
    if (bell >= 0) libc.close(bell);
    libc.close(fd);
    throw error;
  }
}

function add(to: Poll, fd: number): void {
  askedView.setUint32(0, readable, true);
  askedView.setUint32(dataAt, fd, true);
  if (libc.epollControl(to.fd, controls.add, fd, asked) < 0) {
    throw new SystemError("watch a socket");
  }
}

async function serve({ fd, bell }: Poll): Promise<void> {
  isServing = true;
  while (onReadable.size > 0) {
    const count = await libc.epollWait(fd, told, maxEvents, waitMs);
    comeBack();
    for (let i = 0; i < count; i++) {
      const named = toldView.getUint32(i * eventBytes + dataAt, true);
      if (named === bell) libc.read(bell, rung, 8n);
      else callOne(named);
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
