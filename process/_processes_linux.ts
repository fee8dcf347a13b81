import type { Processes, ProcessState } from "./process.ts";

/** Processes as `/proc` shows them (proc(5)). */
export const linuxProcesses: Processes = {
  state,

  async childrenOf(pid) {
    const text = await read(`/proc/${pid}/task/${pid}/children`);
    const pids = text.split(" ").filter((word) => word !== "").map(Number);
    return await statesOf(pids);
  },

  async membersOf(group) {
    const pids: number[] = [];
    for await (const { name } of Deno.readDir("/proc")) {
      if (/^\d+$/.test(name)) pids.push(Number(name));
    }
    return (await statesOf(pids)).filter((one) => one.group === group);
  },

  async argumentsOf(pid) {
    return words(await read(`/proc/${pid}/cmdline`));
  },

  async environmentOf(pid) {
    return words(await read(`/proc/${pid}/environ`));
  },

  async seesAll() {
    return await Deno.stat("/proc/1/stat").then(() => true, () => false);
  },
};

async function state(pid: number): Promise<ProcessState | undefined> {
  const text = await read(`/proc/${pid}/stat`);
  if (text === "") return undefined;
  // The second field is the name in parentheses and may hold anything; the third is the state, the 22nd the start.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [letter, group, start] = [fields[0]!, fields[2]!, fields[19]!];
  return "ZXx".includes(letter)
    ? undefined
    : { pid, start, group: Number(group), stopped: letter === "T" };
}

async function statesOf(pids: number[]): Promise<ProcessState[]> {
  const states = await Promise.all(pids.map(state));
  return states.filter((one) => one !== undefined);
}

function words(text: string): string[] {
  return text.split("\0").slice(0, -1);
}

/** Empty for what cannot be read. */
async function read(path: string): Promise<string> {
  return await Deno.readTextFile(path).catch(() => "");
}
