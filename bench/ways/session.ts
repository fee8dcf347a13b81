import type { Laptop } from "../../tests/cluster/mod.ts";
import type { BenchManager } from "../measure/manager.ts";
import { serversAt, type Way } from "./way.ts";

/** Not where kubectl listens. */
const host = "127.0.0.2";

/** The session with the manager behind plain listeners: what `tp` is without its TUN device. */
export async function openSession(
  { laptop, manager, podIp }: {
    laptop: Laptop;
    manager: BenchManager;
    podIp: string;
  },
): Promise<Way> {
  const servers = serversAt(host);
  const ports = Object.values(servers).map((at) => at.split(":").at(-1)!);
  const script = new URL("session_listener.ts", import.meta.url).pathname;
  const child = laptop.spawn(
    [Deno.execPath(), "run", "-A", "--quiet", script]
      .concat(manager.namespace, podIp, host, ports),
    { cwd: new URL("../..", import.meta.url).pathname, stdout: "piped" },
  );
  const reader = child.stdout.getReader();
  const { done } = await reader.read();
  if (done) throw new Error("Cannot open a session: its listener has ended");
  return {
    name: "session",
    laptop,
    servers,
    processes: new Map([
      ["session", [child.pid]],
      ["manager", await manager.findPids()],
    ]),
    mend: () => Promise.resolve(undefined),
    renew: () => Promise.resolve(),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
    },
  };
}
