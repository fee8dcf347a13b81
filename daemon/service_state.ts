/** The daemon's service as an unprivileged user sees it. Starts nothing. */
import { serviceSocketPath } from "./api.ts";
import { readJournal } from "./journal_file.ts";
import { stateOf } from "../process/mod.ts";
import { groupOf, socketUnit, unitDirectory } from "./service_units.ts";

export interface ServiceState {
  /** The group that the service is for; `undefined` when none is installed. */
  group?: string;
  /** systemd listens. */
  listening: boolean;
  /** This process may open the socket: it is root, or of the socket's group since it was started. */
  allowed: boolean;
  /** A daemon runs, the service's or one that was started otherwise. */
  running: boolean;
}

export async function serviceState(): Promise<ServiceState> {
  const unit = await Deno.readTextFile(`${unitDirectory}/${socketUnit}`)
    .catch(() => "");
  const group = groupOf(unit);
  const socket = await Deno.stat(serviceSocketPath).catch(() => undefined);
  const journal = await readJournal();
  return {
    ...group === undefined ? {} : { group },
    listening: socket !== undefined,
    allowed: socket !== undefined &&
      (Deno.uid() === 0 || (await ownGroups()).includes(socket.gid!)),
    running: journal !== undefined &&
      await stateOf(journal.daemon) !== undefined,
  };
}

async function ownGroups(): Promise<number[]> {
  const status = await Deno.readTextFile("/proc/self/status");
  const [, groups = ""] = /^Groups:\s*(.*)$/m.exec(status) ?? [];
  return [Deno.gid()!, ...groups.trim().split(/\s+/).map(Number)];
}
