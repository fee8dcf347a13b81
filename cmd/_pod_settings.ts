import { CommandError } from "./_error.ts";

/**
 * What `read` makes of the environment that the manager's manifest, or the webhook, gives a container.
 *
 * @throws {CommandError} when something of it is missing, or can not be read: so it is where people start it.
 */
export function settingsOfPod<T>(
  env: Record<string, string>,
  read: (env: Record<string, string>) => T,
): T {
  try {
    return read(env);
  } catch (error) {
    const isOfSettings = error instanceof TypeError ||
      error instanceof SyntaxError;
    if (!isOfSettings) throw error;
    throw new CommandError(
      error.message,
      "It runs in a pod, which tells it: `tp install` makes a manager's, `tp intercept` an agent's",
      { cause: error },
    );
  }
}
