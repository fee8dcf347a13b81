/**
 * `./dev soak [--minutes=10] [--seed=N] [--transfers=4]`: transfers, a database session and ever new connections through
 * one fault after another, of kinds and at times that the seed says. The bed only.
 *
 * 1. A laptop is connected through a proxy, with carriers that are replaced every half minute besides.
 * 2. After a while of calm a fault, and a line of how long after it each goes on; then new connections, which must all work.
 * 3. The summary. Exit code 1 when a byte or a connection was lost, a fault did not happen, or the connector keeps more
 *    than it had before.
 */
import { deployApp, openCluster, say } from "../cluster/mod.ts";
import { ownImage } from "../support/own_image.ts";
import { soak } from "./soak.ts";
import { Tally } from "./tally.ts";

function option(name: string, otherwise: number): number {
  const start = `--${name}=`;
  const given = Deno.args.find((arg) => arg.startsWith(start));
  const value = given === undefined
    ? otherwise
    : Number(given.slice(start.length));
  if (value >= 0) return value;
  throw new RangeError(`Cannot read "${given}": expected a number`);
}

const minutes = option("minutes", 10);
const seed = option("seed", Math.floor(Math.random() * 2 ** 32));
const transfers = option("transfers", 4);
say(`soak: ${minutes} min, ${transfers} transfers, --seed=${seed}`);
const cluster = await openCluster();
await deployApp(cluster);
const image = await ownImage(cluster, "soak");
const tally = new Tally();
await soak(cluster, { minutes, seed, transfers, image, tally })
  .catch((error) => tally.failure(error.message));
for (const line of tally.lines()) say(`soak: ${line}`);
Deno.exit(tally.hasFailed ? 1 : 0);
