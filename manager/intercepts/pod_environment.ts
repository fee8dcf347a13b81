import { type Conn, readText, RefusedError } from "../../net/mod.ts";
import type { ContainerEnvironment } from "../agent_api.ts";
import type { WithheldNames } from "./withheld_names.ts";

/** Longer than any that a kernel takes. */
const maxBytes = 8 * 1024 * 1024;

/**
 * What an agent says on `from` of a container's environment, without what is withheld, and with the pod's address.
 *
 * @throws {RefusedError} "failed" when it is no environment; the signal's reason when it aborts.
 */
export async function readEnvironment(
  from: Conn,
  { withheld, podIp, signal }: {
    withheld: WithheldNames;
    podIp?: string | undefined;
    signal: AbortSignal;
  },
): Promise<ContainerEnvironment> {
  const breakOff = () => from.reset();
  signal.addEventListener("abort", breakOff, { once: true });
  try {
    signal.throwIfAborted();
    const text = await readText(from, { maxBytes });
    const { environment, mounts }: ContainerEnvironment = JSON.parse(text);
    const { names } = withheld;
    return {
      ...{ environment: withheld.without(environment), mounts },
      ...names.length > 0 ? { withheld: names } : {},
      ...podIp === undefined ? {} : { podIp },
    };
  } catch (cause) {
    signal.throwIfAborted();
    const detail = "The agent does not tell the environment";
    throw new RefusedError("failed", detail, { cause });
  } finally {
    signal.removeEventListener("abort", breakOff);
    from.close();
  }
}
