import { repairHost } from "../daemon/mod.ts";
import { setLogLevel } from "../log.ts";

export default async function run(): Promise<void> {
  // Who ran the command that found the leftovers has been told of them.
  setLogLevel("error");
  await repairHost();
}
