import { storeProcesses } from "./control_plane.ts";
import { bedKubectl } from "./kubectl.ts";
import { alone } from "./lock.ts";
import { assertAlive, startProcess, stopProcess } from "./process.ts";
import { bringPrograms } from "./programs.ts";
import { waitFor } from "./wait.ts";

const name = "kube-apiserver";

/** How long it may take to end what it serves; it would wait longer for some of its clients. */
const graceMs = 3_000;

/** Resolves when the bed's API server and its store answer. */
export async function apiServerReady(): Promise<void> {
  await waitFor("answer of the API server", async () => {
    await assertAlive("etcd");
    await assertAlive(name);
    const { stdout, stderr } = await bedKubectl(["get", "--raw", "/readyz"]);
    return stdout === "ok" || stderr.trim();
  });
}

/** Ends the bed's API server as an upgrade does, and starts it again as it was; resolves when it is ready. */
export async function restartApiServer(): Promise<void> {
  const process = storeProcesses(await bringPrograms())
    .find((one) => one.name === name)!;
  // Who looks at the bed meanwhile would find it broken, and clear it away.
  await alone(async () => {
    await stopProcess(name, { graceMs });
    await startProcess(process);
    await apiServerReady();
  });
}
