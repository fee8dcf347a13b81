/**
 * What sessions that are over have left in a cluster: those of connectors that were killed, or lost the API server first.
 * It goes when the laptop connects, in whatever namespaces it is, since others may wait for the traffic that it has; what
 * cannot be deleted then is in the way of the laptop's own next intercept at the latest (`own_objects.ts`, point 3).
 */
import { type ApiClient, ApiError } from "../../k8s/mod.ts";
import { logger } from "../../log.ts";
import { sessionLabel, sessionLabelOf } from "../../manager/api.ts";
import { intercepts } from "../../manager/client.ts";
import type { SessionRecord, SessionRecords } from "./session_records.ts";

const log = logger("connector");

/** How long it may hold up a connection. What is not deleted by then is the next connection's to delete. */
const timeLimitMs = 5_000;

export interface LeftObjectsOptions {
  api: ApiClient;
  records: SessionRecords;
  /** Thumbprints of the keys of all connections of this laptop, whose objects stay. */
  sessions: ReadonlySet<string>;
  signal: AbortSignal;
}

/**
 * Deletes the objects of sessions that this laptop has noted and that are over: of no other laptop's, and of no other
 * user's on it. Asks nothing where there are none. What cannot be deleted stays noted; rejects with the signal's reason
 * alone.
 */
export async function deleteLeftObjects(
  { api, records, sessions, signal }: LeftObjectsOptions,
): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeLimitMs)]);
  const over = (await records.all()).filter(({ session }) =>
    !sessions.has(session)
  );
  await Promise.all(over.map(async (record) => {
    try {
      const count = await deleteOf(record, api, limit);
      await records.forget(record.session);
      if (count > 0) {
        log.info("deleted what a killed connector left", { count });
      }
    } catch (error) {
      log.warn("leftovers not deleted", { ...record, error });
    }
  }));
  signal.throwIfAborted();
}

/** Resolves to how many there were. */
async function deleteOf(
  { session, namespaces }: SessionRecord,
  api: ApiClient,
  signal: AbortSignal,
): Promise<number> {
  const labelSelector = `${sessionLabel}=${sessionLabelOf(session)}`;
  const all = await Promise.all(namespaces.map(async (namespace) => {
    const found = await api.list(intercepts, {
      ...{ namespace, labelSelector, signal },
    }).catch((error) => {
      // Somebody has uninstalled the kind, and all objects of it.
      if (error instanceof ApiError && error.status === 404) return [];
      throw error;
    });
    const own = found.filter(({ spec }) => spec.session === session);
    await Promise.all(
      own.map(({ metadata: { name, uid } }) =>
        api.delete(intercepts, { namespace, name: name! }, {
          ...{ uid: uid!, signal },
        })
      ),
    );
    return own.length;
  }));
  return all.reduce((sum, one) => sum + one, 0);
}
