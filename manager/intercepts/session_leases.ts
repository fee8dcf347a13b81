/**
 * The Leases that tell every copy of the manager, and one that starts, which laptops are there. One of a session is
 * renewed by the copy that has it, while it has a carrier.
 */
import { type Lease, resources } from "../../k8s/mod.ts";
import { logger } from "../../log.ts";
import type { Clock } from "../../net/mod.ts";
import { apiGroup, sessionLabel, sessionLabelOf } from "../intercept.ts";
import type { ClusterApi } from "./cluster_api.ts";
import { ObjectBook } from "./object_book.ts";
import { awayMs, type SessionLedger } from "./session_ledger.ts";

const log = logger("manager");

const renewMs = 10_000;

export interface SessionLeasesOptions {
  api: Pick<ClusterApi, "watch" | "apply" | "delete">;
  ledger: SessionLedger;
  /** Pod and namespace of this copy of the manager. */
  self: { readonly pod: string; readonly namespace: string };
  clock: Clock;
  wallNow: () => number;
}

export class SessionLeases implements AsyncDisposable {
  readonly #options: SessionLeasesOptions;
  readonly #book: ObjectBook<Lease>;
  /** When each was renewed here last, by thumbprint. */
  readonly #renewedAt = new Map<string, number>();
  readonly #writing = new Set<Promise<void>>();

  constructor(options: SessionLeasesOptions) {
    this.#options = options;
    const { api, ledger, self: { namespace }, clock } = options;
    this.#book = new ObjectBook({
      resource: resources.leases,
      watch: ({ signal }) =>
        api.watch(resources.leases, {
          ...{ namespace, labelSelector: sessionLabel, signal },
        }),
      onChange: ({ now }) => {
        const session = now?.metadata.labels?.[sessionLabel];
        const { renewTime, holderIdentity: holder } = now?.spec ?? {};
        if (session && renewTime) {
          ledger.seeLease(session, { renewTime, holder });
        }
      },
      onKnown: () => {},
      clock,
    });
  }

  /** False before it is known who was there when this process began. */
  get isKnown(): boolean {
    return this.#book.isKnown;
  }

  /** The laptop has a carrier here. Its Lease is renewed when it is time. */
  renew(thumbprint: string): void {
    const { ledger, self, clock } = this.#options;
    ledger.seeHere(sessionLabelOf(thumbprint), self.pod);
    const now = clock.now();
    const renewedAt = this.#renewedAt.get(thumbprint) ?? -Infinity;
    if (now - renewedAt < renewMs) return;
    this.#renewedAt.set(thumbprint, now);
    this.#write(() => this.#apply(thumbprint));
  }

  /**
   * The session has no intercept any more.
   *
   * @param others Thumbprints of those that have. Anybody can write one that begins as another's: what is theirs stays.
   */
  drop(thumbprint: string, others: readonly string[]): void {
    const { api, ledger, self: { namespace } } = this.#options;
    const wasHere = this.#renewedAt.delete(thumbprint);
    const isShared = (of: (thumbprint: string) => string) =>
      others.some((one) => of(one) === of(thumbprint));
    if (!isShared(sessionLabelOf)) ledger.forget(sessionLabelOf(thumbprint));
    const name = leaseName(thumbprint);
    const isThere = this.#book.find({ namespace, name }) !== undefined;
    if (!wasHere && !isThere || isShared(leaseName)) return;
    this.#write(() => api.delete(resources.leases, { namespace, name }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#book[Symbol.asyncDispose]();
    await Promise.all(this.#writing);
  }

  async #apply(thumbprint: string): Promise<void> {
    const { api, self: { namespace, pod }, wallNow } = this.#options;
    const renewTime = new Date(wallNow()).toISOString().replace("Z", "000Z");
    await api.apply<Lease>({
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: {
        ...{ namespace, name: leaseName(thumbprint) },
        labels: {
          [sessionLabel]: sessionLabelOf(thumbprint),
          "app.kubernetes.io/managed-by": apiGroup,
        },
      },
      spec: {
        holderIdentity: pod,
        leaseDurationSeconds: awayMs / 1000,
        renewTime,
      },
    }, { force: true });
  }

  #write(work: () => Promise<unknown>): void {
    const written = work().then(
      () => {},
      (error) => log.warn("a session's Lease was not written", { error }),
    ).finally(() => this.#writing.delete(written));
    this.#writing.add(written);
  }
}

function leaseName(thumbprint: string): string {
  return `tp-session-${thumbprint.slice(0, 16)}`;
}
