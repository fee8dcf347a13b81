/** Intercepts for tests. */
import type { Intercept, InterceptSpec } from "../intercept.ts";

export const thumbprintA = "a".repeat(64);
export const thumbprintB = "b".repeat(64);

/** One on port 8080 of Deployment "web" in namespace "shop". */
export function interceptOf(
  { uid, createdAt = `2026-01-01T00:00:0${uid.length}Z`, ...spec }:
    & Partial<InterceptSpec>
    & { uid: string; createdAt?: string },
): Intercept {
  return {
    apiVersion: "tp.dev/v1",
    kind: "Intercept",
    metadata: {
      ...{ name: uid, namespace: "shop", uid },
      creationTimestamp: createdAt,
    },
    spec: {
      name: uid,
      owner: `${uid}-owner`,
      session: thumbprintA,
      manager: "ambassador",
      client: `${uid}@laptop`,
      workload: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      mode: "intercept",
      container: "app",
      ports: [{ port: 8080, protocol: "TCP" }],
      ...spec,
    },
  };
}
