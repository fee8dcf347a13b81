import { statfs } from "node:fs/promises";
import { cacheDir, stateDir, statePath } from "./paths.ts";
import { run } from "./command.ts";

/** What the kubelet changes for the whole machine (not per namespace); saved by `up`, restored by `down`. */
const globalSettings = [
  "vm/overcommit_memory",
  "vm/panic_on_oom",
  "kernel/panic",
  "kernel/panic_on_oops",
  "kernel/keys/root_maxkeys",
  "kernel/keys/root_maxbytes",
] as const;

const freeGigabytesWanted = 8;

/** @throws {Error} with cause and remedy if this machine cannot hold the bed */
export async function checkMachine(): Promise<void> {
  if (Deno.build.os !== "linux") {
    throw new Error(
      `Cannot start the test bed: it needs Linux, this is ${Deno.build.os}; name another cluster in TP_TEST_KUBECONFIG`,
    );
  }
  if (Deno.uid() !== 0) {
    throw new Error(
      "Cannot start the test bed: network namespaces need root; run it as root, or name another cluster in " +
        "TP_TEST_KUBECONFIG",
    );
  }
  if ((await run(["unshare", "--net", "--mount", "true"])).code !== 0) {
    throw new Error(
      "Cannot start the test bed: this root may not make namespaces; run it in a privileged container or on a machine",
    );
  }
  await checkFreeSpace();
}

async function checkFreeSpace(): Promise<void> {
  for (const directory of [stateDir, cacheDir]) {
    await Deno.mkdir(directory, { recursive: true });
    const { bavail, bsize } = await statfs(directory);
    const free = bavail * bsize / 2 ** 30;
    if (free >= freeGigabytesWanted) continue;
    throw new Error(
      `Cannot start the test bed: ${
        free.toFixed(1)
      } GiB free at ${directory}, ` +
        `${freeGigabytesWanted} are needed; free some, or set TP_BED_STATE and XDG_CACHE_HOME to another disk`,
    );
  }
}

/** Remembers the machine's settings, unless an earlier `up` that was not undone already does. */
export async function saveMachineSettings(): Promise<void> {
  const path = statePath("sysctl.json");
  if (await Deno.stat(path).catch(() => undefined) !== undefined) return;
  const saved: Record<string, string> = {};
  for (const name of globalSettings) {
    const value = await Deno.readTextFile(`/proc/sys/${name}`).catch(() => "");
    if (value !== "") saved[name] = value.trim();
  }
  await Deno.writeTextFile(path, JSON.stringify(saved));
}

export async function restoreMachineSettings(): Promise<void> {
  const text = await Deno.readTextFile(statePath("sysctl.json"))
    .catch(() => "{}");
  for (const [name, value] of Object.entries(JSON.parse(text))) {
    await Deno.writeTextFile(`/proc/sys/${name}`, `${value}`);
  }
}
