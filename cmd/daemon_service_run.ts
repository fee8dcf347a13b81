/** `tp daemon install`, `tp daemon uninstall`, `tp daemon status` */
import { selfCommand } from "../build.ts";
import { type ServiceState, serviceState } from "../daemon/client.ts";
import {
  installService,
  ServiceError,
  uninstallService,
} from "../daemon/mod.ts";
import type { Context } from "./_context.ts";
import { CommandError } from "./_error.ts";
import { formatValue } from "./_output.ts";
import type { DaemonInstallFlags, DaemonStatusFlags } from "./daemon.ts";

export async function install(
  this: Context,
  { group }: DaemonInstallFlags,
): Promise<void> {
  const program = selfCommand([]);
  await telling(() => installService({ group, program }));
  this.process.stdout.write(
    `Installed: members of group "${group}" connect without sudo\n`,
  );
}

export async function uninstall(this: Context): Promise<void> {
  const wasThere = await telling(uninstallService);
  this.process.stdout.write(wasThere ? "Uninstalled\n" : "Not installed\n");
}

export async function status(
  this: Context,
  { output }: DaemonStatusFlags,
): Promise<void> {
  const state = await serviceState();
  this.process.stdout.write(
    output === "text" ? stateText(state) : await formatValue(state, output),
  );
}

/** What people read. */
export function stateText(state: ServiceState): string {
  const { group, listening, allowed, running } = state;
  const mayUse = allowed
    ? "yes"
    : listening
    ? "no: not a member of the group since logging in"
    : "no: systemd does not listen";
  const lines = group === undefined
    ? ["Not installed"]
    : [`Installed for group "${group}"`, `  Without sudo: ${mayUse}`];
  return [...lines, `  Running:      ${running ? "yes" : "no"}`, ""].join("\n");
}

async function telling<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    throw new CommandError(error.message, error.remedy, { cause: error });
  }
}
