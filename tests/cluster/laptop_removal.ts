import { killAll } from "./cgroup.ts";
import { unlinkFromCluster } from "./external.ts";
import { laptopNumbers, releaseLaptopNumber } from "./laptop_number.ts";
import { netnsExists, netnsPids, removeNetns } from "./netns.ts";
import { stopProcess } from "./process.ts";

/** Removes all laptops, whoever opened them. */
export async function removeAllLaptops(): Promise<void> {
  for (const number of await laptopNumbers()) {
    await removeLaptop(number);
    await releaseLaptopNumber(number);
  }
}

/** Ends all that runs on a laptop and removes it, as far as it is there. Its number stays claimed. */
export async function removeLaptop(number: number): Promise<void> {
  const netns = netnsName(number);
  if (await netnsExists(netns)) {
    await killAll(netns, () => netnsPids(netns));
  }
  await unlinkFromCluster(number);
  await stopProcess(holderName(number));
  await removeNetns(netns);
}

/** Of a laptop's network namespace, below /run/netns. */
export function netnsName(number: number): string {
  return `tp-lap-${number}`;
}

/** Of the process that holds a laptop's namespaces. */
export function holderName(number: number): string {
  return `laptop-${number}`;
}
