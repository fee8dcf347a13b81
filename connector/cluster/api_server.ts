import { type ApiClient, ApiError } from "../../k8s/mod.ts";
import type { ConnectEvent } from "../api.ts";
import { ConnectError } from "../failure.ts";
import { Patience } from "../patience.ts";

/**
 * Resolves when the API server has answered and taken the credentials.
 *
 * @throws {ConnectError} `unauthorized`, `api-unreachable`.
 * @throws {ApiUnreachableError | CredentialError}
 */
export async function askApiServer(
  api: ApiClient,
  { signal, tell }: {
    signal: AbortSignal;
    tell: (event: ConnectEvent) => void;
  },
): Promise<void> {
  const { context, server } = api.access;
  using patience = new Patience((text) => tell({ event: "progress", text }));
  patience.waitFor(`Waiting for API server ${server.origin}...`);
  try {
    await api.version({ signal });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const use = `Cannot use context "${context}"`;
    if (error.status === 401) {
      throw new ConnectError({
        kind: "unauthorized",
        cause: `${use}: API server "${server.origin}" does not take its ` +
          "credentials (401 Unauthorized)",
      }, { cause: error });
    }
    // An API server says no with a reason.
    if (error.reason !== "" || error.status >= 500) throw error;
    throw new ConnectError({
      kind: "api-unreachable",
      cause: `${use}: what answers at "${server.origin}" is no API server ` +
        `(HTTP status ${error.status})`,
    }, { cause: error });
  }
}
