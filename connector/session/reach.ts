/** The first session with a manager that is ready: what keeps it from coming about is told as such. */
import { type ApiClient, ApiError } from "../../k8s/mod.ts";
import { ConnResetError, RefusedError } from "../../net/mod.ts";
import {
  type Identity,
  type Incoming,
  ProtocolError,
} from "../../tunnel/mod.ts";
import { forbiddenToConnect } from "../cluster/forbidden.ts";
import type { Replica } from "../cluster/replicas.ts";
import { ConnectError } from "../failure.ts";
import { ManagerLink } from "./link.ts";
import type { WorldView } from "./world_view.ts";

export interface ReachOptions {
  managerNamespace: string;
  /** Copies of the manager that serve, as far as it is known. */
  ready?: readonly Replica[];
  /** The only namespaces that this laptop wants to know of; all when absent. */
  mapped?: readonly string[] | undefined;
  /** Gets what the manager sees of the cluster. */
  view: WorldView;
  /** Who this laptop is. */
  identity: Identity;
  /** Answers streams that the manager opens. */
  serve: (incoming: Incoming) => void;
  signal: AbortSignal;
}

/**
 * @throws {ConnectError} `forbidden`, `manager-unreachable`.
 * @throws {IncompatibleError | ApiUnreachableError}
 */
export async function reachManager(
  api: ApiClient,
  { managerNamespace: namespace, ready, mapped, view, signal, ...own }:
    ReachOptions,
): Promise<ManagerLink> {
  try {
    return await ManagerLink.open({
      ...{ api, namespace, namespaces: mapped },
      ...{ identity: own.identity, serve: own.serve },
      ...ready === undefined ? {} : { ready },
      onWorld: (world) => view.set(world),
    }, { signal });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ApiError && error.status === 403) {
      throw await forbiddenToConnect(api, {
        ...{ managerNamespace: namespace, installed: true, cause: error },
      });
    }
    if (!isFromManager(error)) throw error;
    const isUnknown = error instanceof RefusedError &&
      error.refusal === "unknown-target";
    if (mapped && isUnknown) {
      throw new ConnectError({
        kind: "manager-incompatible",
        cause: "Cannot map single namespaces: the traffic manager in " +
          `namespace "${namespace}" is of a release that does not know how to`,
      }, { cause: error });
    }
    const state = error.message.replace(/^Cannot [^:]+: /, "");
    throw new ConnectError({
      kind: "manager-unreachable",
      cause:
        `Cannot reach the traffic manager in namespace "${namespace}": ${state}`,
    }, { cause: error });
  }
}

function isFromManager(error: unknown): error is Error {
  return error instanceof RefusedError || error instanceof ConnResetError ||
    error instanceof ProtocolError;
}
