import assert from "node:assert/strict";
import { type Pod, resources } from "../../k8s/mod.ts";
import { FakeClock } from "../../net/clock_fake.ts";
import type { Session } from "../../tunnel/mod.ts";
import type { Rule } from "../agent_api.ts";
import { revisionAnnotation } from "../agent_object.ts";
import { agents, intercepts } from "../own_resources.ts";
import { FakeCluster, podOf } from "./cluster_fake.ts";
import { type ControlOptions, InterceptControl } from "./control.ts";
import { Laptops } from "./laptops.ts";
import type { AppWorkload } from "./workload_kind.ts";

export const start = Date.parse("2026-01-01T00:00:00Z");
export const web = { namespace: "shop", name: "web" };
export const agentPlace = { namespace: "shop", name: "deployment-web" };
/** What the manager's own code gives; here as plain as it can be. */
export const revisionOf = (spec: unknown) => `r${JSON.stringify(spec).length}`;

const agentSession = {} as Session;

/** The control of a manager, with its cluster, laptops and agents in memory. */
export function openControl(
  {
    tryWebhook = () => Promise.resolve(undefined),
    cluster = shop(),
    lineOf = () => ({}),
  }: Partial<Pick<ControlOptions, "tryWebhook" | "lineOf">> & {
    cluster?: FakeCluster;
  } = {},
) {
  const clock = new FakeClock();
  const laptops = new Laptops(clock);
  const control = new InterceptControl({
    onGone: () => {},
    ...{ api: cluster, laptops, revisionOf, lineOf, tryWebhook, clock },
    self: { pod: "traffic-manager-0", namespace: "ambassador" },
    wallNow: () => start + clock.now(),
  });
  const seen = {
    phase: (uid: string) =>
      cluster.peek(intercepts, { namespace: "shop", name: uid })?.status?.phase,
    message: (uid: string) =>
      cluster.peek(intercepts, { namespace: "shop", name: uid })?.status
        ?.message,
    reason: (uid: string) =>
      cluster.peek(intercepts, { namespace: "shop", name: uid })?.status
        ?.reason,
    details: (uid: string) =>
      cluster.peek(intercepts, { namespace: "shop", name: uid })?.status
        ?.details ?? [],
    agent: () => cluster.peek(agents, agentPlace),
    annotation: () =>
      cluster.peek<AppWorkload>(resources.deployments, web)?.spec?.template
        ?.metadata?.annotations?.[revisionAnnotation],
  };
  return {
    ...{ clock, cluster, control, laptops, ...seen },
    /** Lets time pass until it is so. */
    async until(what: () => unknown, ms = 100) {
      for (let tries = 0; tries < 2000; tries++) {
        if (what()) return;
        clock.advance(ms);
        await new Promise((resolve) => setTimeout(resolve));
      }
      const written = cluster.written.slice(-5).join(", ");
      assert.fail(`never: ${what} (last written: ${written})`);
    },
    /** A pod's agent answers all rules that the manager tells. */
    answers(pod: string) {
      const workload = "shop/deployment-web";
      const rules: readonly Rule[] = control.rulesOf(workload).value ?? [];
      control.agents.put({
        pod: {
          ...{ ...web, name: pod, uid: `uid-${pod}`, workload },
          createdAt: "2026-01-01T00:00:00Z",
        },
        session: agentSession,
        follows: new Set(rules.map(({ id }) => id)),
      });
    },
    laptop(thumbprint: string) {
      const ended = Promise.withResolvers<never>();
      const session = {
        ...{ peer: { thumbprint }, ended: ended.promise },
        state: "connected",
        stats: () => ({ state: session.state }),
      };
      laptops.add(session as unknown as Session);
      return session;
    },
    async [Symbol.asyncDispose]() {
      const disposed = control[Symbol.asyncDispose]();
      clock.advance(60_000);
      await disposed;
    },
  };
}

/** Deployment "web" with one pod, and its Service. */
export function shop({ replicas = 1 } = {}): FakeCluster {
  const cluster = new FakeCluster();
  cluster.put<AppWorkload>(resources.deployments, {
    metadata: { ...web, generation: 1 },
    spec: {
      replicas,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: {
          containers: [{
            name: "app",
            ports: [{ name: "http", containerPort: 8080 }],
          }],
        },
      },
    },
  });
  cluster.put(resources.services, {
    metadata: web,
    spec: {
      selector: { app: "web" },
      ports: [{ port: 80, targetPort: "http" }],
    },
  });
  const status: Pod["status"] = {
    ...podOf("old").status,
    containerStatuses: [{
      ...{ name: "app", ready: true, restartCount: 0 },
      user: { linux: { uid: 1000, gid: 1000 } },
    }],
  };
  cluster.put(resources.pods, podOf("old", { status }));
  return cluster;
}

/** What the Deployment's controller and the webhook do once the template is annotated. */
export function roll(
  cluster: FakeCluster,
  { revision, name = "new", isReady = true, agent = true, status }: {
    revision: string;
    name?: string;
    isReady?: boolean;
    agent?: boolean;
    status?: Pod["status"];
  },
) {
  const annotations = { [revisionAnnotation]: revision };
  const options = { annotations, agent, isReady, hash: "2" };
  cluster.put(
    resources.pods,
    podOf(name, { ...options, ...status ? { status } : {} }),
  );
  if (isReady) {
    cluster.remove(resources.pods, { namespace: "shop", name: "old" });
  }
}
