import { accounts, type LaptopUser, must } from "../cluster/mod.ts";

export interface UserProcess {
  pid: number;
  /** Its command line. */
  command: string;
}

/** The processes of a laptop's user, in whatever namespaces they are. */
export async function userProcesses(
  user: Exclude<LaptopUser, "root">,
): Promise<UserProcess[]> {
  const lines = await must(["ps", "-eo", "uid=,pid=,args="]);
  return lines.split("\n").flatMap((line) => {
    const [, uid, pid, command = ""] = /^ *(\d+) +(\d+) (.*)$/.exec(line) ?? [];
    return Number(uid) === accounts[user].uid && !command.includes("<defunct>")
      ? [{ pid: Number(pid), command }]
      : [];
  });
}
