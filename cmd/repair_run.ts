import { repairHost } from "../daemon/mod.ts";

export default async function run(): Promise<void> {
  await repairHost();
}
