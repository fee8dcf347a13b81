/** The volumes of an agent's pod that are not the app's. Pure. */
import { agentAudience } from "../agent_api.ts";
import { authoritiesAnnotation } from "../agent_object.ts";
import { filesName } from "./container_names.ts";
import type { PodVolume } from "./pod_spec.ts";

export const trustVolumeName = "tp-trust";
const tokenSeconds = 3600;

/** Where the app's service account would be: the API server gives it to every container that has nothing there. */
export const nothing = {
  volume: {
    name: "tp-nothing",
    emptyDir: { medium: "Memory", sizeLimit: "1Mi" },
  },
  mount: {
    name: "tp-nothing",
    mountPath: "/var/run/secrets/kubernetes.io/serviceaccount",
    readOnly: true,
  },
};

/** @param containers Names of those whose environment and volumes can be had. */
export function agentVolumes(containers: readonly string[]): PodVolume[] {
  return [
    {
      name: trustVolumeName,
      projected: {
        sources: [
          {
            serviceAccountToken: {
              audience: agentAudience,
              expirationSeconds: tokenSeconds,
              path: "token",
            },
          },
          {
            downwardAPI: {
              items: [{
                path: "ca.pem",
                fieldRef: {
                  fieldPath: `metadata.annotations['${authoritiesAnnotation}']`,
                },
              }],
            },
          },
        ],
      },
    },
    nothing.volume,
    // For Unix sockets: they take no room.
    ...containers.map((name) => ({
      name: filesName(name),
      emptyDir: { medium: "Memory", sizeLimit: "1Mi" },
    })),
  ];
}
