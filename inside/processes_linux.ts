/** The processes of a network namespace, as far as this user may see whose they are. */
import { pause, systemClock } from "../net/mod.ts";

/** How long they may take to end by themselves. */
const patienceMs = 2_000;
const pollMs = 20;

/** The network namespace of a process, as /proc names it; `undefined` where that cannot be told. */
export function netnsOf(pid: number | "self"): Promise<string | undefined> {
  return Deno.readLink(`/proc/${pid}/ns/net`).catch(() => undefined);
}

/** Ends all processes in `netns` but this one: first they are asked, then killed. Resolves when none is left. */
export async function endProcesses(netns: string): Promise<void> {
  const start = performance.now();
  for (let looks = 0;; looks++) {
    const pids = await processesIn(netns);
    if (pids.length === 0) return;
    for (const pid of pids) {
      if (performance.now() - start > patienceMs) kill(pid, "SIGKILL");
      else if (looks === 0) {
        kill(pid, "SIGTERM");
        // One that is stopped hears nothing before it goes on.
        kill(pid, "SIGCONT");
      }
    }
    await pause(pollMs, { clock: systemClock });
  }
}

async function processesIn(netns: string): Promise<number[]> {
  const pids: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === Deno.pid) continue;
    if (await netnsOf(pid) === netns) pids.push(pid);
  }
  return pids;
}

/** A process that has ended meanwhile is no error. */
function kill(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch {
    // It is gone.
  }
}
