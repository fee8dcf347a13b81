/**
 * `./dev bench scale [--parts=cluster,connector,manager] [--seconds=5]`: what size costs, at several sizes, so that its
 * growth is seen.
 *
 * - cluster: 1 000 namespaces, 10 000 services, 20 000 pods, 1 000 nodes before a real manager; `tp connect` to it.
 * - connector: 10 000 open streams of one laptop.
 * - manager: 200 laptops with 5 000 open streams.
 *
 * The API server is a fake that speaks the real protocol; manager, connector and daemon are processes of `dist/tp`.
 */
import { say } from "../tests/cluster/mod.ts";
import { valueOf } from "./measure/options.ts";
import { measureCluster } from "./scale/cluster_part.ts";
import { measureConnector } from "./scale/connector_part.ts";
import { measureManager } from "./scale/manager_part.ts";

const seconds = Number(valueOf(Deno.args, "seconds") ?? 5);

const parts: Record<string, () => Promise<string>> = {
  cluster: measureCluster,
  connector: () =>
    measureConnector({ sizes: [0, 1_000, 2_500, 5_000, 10_000], seconds }),
  manager: () =>
    measureManager({
      sizes: [0, 1_000, 2_500, 5_000],
      sessions: [0, 50, 100, 200],
      seconds,
    }),
};

const wanted = (valueOf(Deno.args, "parts") ?? Object.keys(parts).join(","))
  .split(",");
for (const name of wanted) {
  const measure = parts[name];
  if (measure === undefined) {
    const known = Object.keys(parts).join(", ");
    say(`scale: there is no part "${name}"; the parts are ${known}`);
    Deno.exit(2);
  }
  const [load] = Deno.loadavg();
  say(`scale: ${name} (load average ${load!.toFixed(1)})`);
  const text = await measure();
  await Deno.stdout.write(new TextEncoder().encode(`${text}\n\n`));
}
