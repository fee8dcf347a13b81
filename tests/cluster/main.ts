/** The test bed on the command line: a real Kubernetes on this machine. */
import { join } from "node:path";
import { defaultImage } from "../../build.ts";
import { deployApp } from "./app.ts";
import { openCluster } from "./cluster.ts";
import { down } from "./down.ts";
import { mustKubectl } from "./kubectl.ts";
import { alone } from "./lock.ts";
import { buildManagerImage } from "./manager_image.ts";
import { installPackages } from "./packages.ts";
import { adminKubeconfig, binDir } from "./paths.ts";
import { maxNodes } from "./settings.ts";
import { readStatus } from "./status.ts";
import { say } from "./step.ts";
import { up } from "./up.ts";

const help = `./dev cluster COMMAND
  up [--nodes 1|2]   bring the cluster up (first time: compiles Kubernetes, about 10 minutes)
  down               take it down; nothing is left but the cache
  status             say how it is; exit code 0 if it is up
  kubeconfig         print the path of the administrator's kubeconfig
  kubectl ARGS...    run kubectl against it
  app                bring the sample application and wait until it is ready
  packages           install the Debian packages that the bed and the tests need
  image EXECUTABLE [--name NAME]
                     build Dockerfile.manager around an executable and bring the image to the nodes, under the name
                     that this release asks for unless told otherwise; a manager of an earlier build is removed
`;

const imageUsage = 'expected "image EXECUTABLE [--name NAME]"';

async function main([command = "help", ...args]: string[]): Promise<number> {
  switch (command) {
    case "up": {
      const nodes = parseNodes(args);
      await alone(() => up({ nodes }));
      return 0;
    }
    case "down":
      await alone(down);
      return 0;
    case "status": {
      // What another process changes looks broken meanwhile.
      const found = await readStatus();
      const status = found.state === "broken" ? await alone(readStatus) : found;
      const detail = status.state === "up"
        ? ` (nodes: ${status.nodes})`
        : status.state === "broken"
        ? ` (${status.why})`
        : "";
      print(`${status.state}${detail}\n`);
      return status.state === "up" ? 0 : 1;
    }
    case "kubeconfig":
      print(`${adminKubeconfig}\n`);
      return 0;
    case "packages":
      await installPackages();
      return 0;
    case "app":
      await deployApp(await openCluster());
      return 0;
    case "image": {
      const [executable, option = "--name", name = defaultImage] = args;
      if (executable === undefined || option !== "--name") {
        throw new Error(`Cannot read "${args.join(" ")}": ${imageUsage}`);
      }
      const cluster = await openCluster();
      await buildManagerImage(cluster, { executable, name });
      // Its pod would go on with the image of the same name that it was started with.
      await mustKubectl(cluster.kubectl, [
        ...["delete", "namespace", "ambassador", "--ignore-not-found"],
      ], { timeoutMs: 60_000 });
      return 0;
    }
    case "kubectl":
      return await interactiveKubectl(args);
    case "help":
      print(help);
      return 0;
    default:
      say(`bed: unknown command "${command}"`);
      print(help);
      return 2;
  }
}

function parseNodes(args: readonly string[]): number {
  const nodes = args.length === 0 ? 1 : Number(args[1]);
  if (args.length === 0 || args[0] === "--nodes") {
    if (Number.isInteger(nodes) && nodes >= 1 && nodes <= maxNodes) {
      return nodes;
    }
  }
  throw new Error(`Cannot read "${args.join(" ")}": expected "--nodes 1" or 2`);
}

/** kubectl on this terminal. */
async function interactiveKubectl(args: readonly string[]): Promise<number> {
  const child = new Deno.Command(join(binDir, "kubectl"), {
    args: ["--kubeconfig", adminKubeconfig, ...args],
  }).spawn();
  return (await child.status).code;
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}

if (import.meta.main) {
  try {
    Deno.exitCode = await main(Deno.args);
  } catch (error) {
    say(`bed: ${(error as Error).message}`);
    Deno.exitCode = 1;
  }
}
