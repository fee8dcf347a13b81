import { ConnectError, install, manifestsText } from "../connector/mod.ts";
import type { Context } from "./_context.ts";
import { CommandError } from "./_error.ts";
import { failureError } from "./_failure.ts";
import { Interrupt, interruptedExitCode } from "./_interrupt.ts";
import { readSettings, settingsRequest } from "./_settings.ts";
import type { InstallFlags } from "./install.ts";

export default async function run(
  this: Context,
  flags: InstallFlags,
): Promise<void> {
  const { context, kubeconfig, replicas, print } = flags;
  const say = (text: string) => this.process.stdout.write(text);
  const { managerNamespace, image } = settingsRequest(
    await readSettings(flags),
  );
  const direct = directOf(flags);
  const { allowGlobalIntercepts: allowGlobal, excludeEnv } = flags;
  const { agentPolicy: agentPolicies } = flags;
  using interrupt = new Interrupt();
  const { signal } = interrupt;
  try {
    if (print) {
      const namespace = managerNamespace;
      say(
        await manifestsText({
          ...{ namespace, image, direct, replicas },
          ...{ allowGlobal, excludeEnv, agentPolicies },
        }),
      );
      return;
    }
    await install({
      ...context === undefined ? {} : { context },
      ...kubeconfig === undefined ? {} : { kubeconfig },
      managerNamespace,
      image,
      ...direct ? { direct } : {},
      ...{ replicas, allowGlobal, excludeEnv, agentPolicies },
      signal,
      tell: (event) => {
        if (event.event === "progress") say(event.text + "\n");
      },
    });
  } catch (error) {
    if (signal.aborted) {
      say("Interrupted\n");
      this.process.exitCode = interruptedExitCode;
      return;
    }
    throw error instanceof ConnectError ? failureError(error.failure) : error;
  }
  say(`Traffic manager ready in namespace "${managerNamespace}"\n`);
}

/** @throws {CommandError} when a Service is wanted and not said where it can be reached. */
function directOf({ directEndpoint: endpoint, directService }: InstallFlags) {
  if (endpoint !== undefined) return { endpoint, service: directService };
  if (directService === undefined) return undefined;
  throw new CommandError(
    `Cannot make a Service of type "${directService}": it has no endpoint`,
    "Give `--direct-endpoint HOST:PORT`, where laptops reach that Service",
  );
}
