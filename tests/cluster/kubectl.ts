import { join } from "node:path";
import {
  type CommandOptions,
  type CommandResult,
  lastLines,
  run,
} from "./command.ts";
import { adminKubeconfig, binDir } from "./paths.ts";

/** A kubectl that speaks to one cluster. */
export interface Kubectl {
  /** Runs kubectl with these arguments and answers what it did, whatever that was. */
  (args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
}

/** kubectl for the cluster of a kubeconfig. */
export function kubectlFor(
  kubeconfig: string,
  program = join(binDir, "kubectl"),
): Kubectl {
  return (args, options = {}) =>
    run([program, "--kubeconfig", kubeconfig, ...args], options);
}

/** kubectl for the bed, as its administrator. */
export const bedKubectl = kubectlFor(adminKubeconfig);

/**
 * Runs kubectl, which must succeed, and answers its standard output.
 *
 * @throws {Error} with what kubectl said
 */
export async function mustKubectl(
  kubectl: Kubectl,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await kubectl(args, options);
  if (result.code === 0) return result.stdout;
  throw new Error(
    `Cannot run "kubectl ${args.join(" ")}": exit code ${result.code}: ${
      lastLines(result.stderr, 5)
    }`,
  );
}
