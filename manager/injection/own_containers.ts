/** The agent's container, and the one that redirects ports before anything else runs. Pure. */
import { type AgentConfig, agentPaths } from "../agent_api.ts";
import { agentContainerName } from "../agent_object.ts";
import { filesName } from "./container_names.ts";
import { listeningHook } from "./listening_hook.ts";
import type {
  ContainerPort,
  EnvVar,
  PodContainer,
  VolumeMount,
} from "./pod_spec.ts";
import { nothing, trustVolumeName } from "./volumes.ts";

export const initContainerName = "tp-init";

/** Not root. The image has the same user. */
const uid = 65_532;

const resources = {
  requests: { cpu: "10m", memory: "64Mi" },
  limits: { memory: "256Mi" },
};

/** As the level `restricted` of the Pod Security Standards wants it. */
export const restricted = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
};

export interface OwnContainerOptions {
  image: string;
  config: AgentConfig;
}

export function agentContainer(
  { image, config, ports }: OwnContainerOptions & {
    ports: readonly ContainerPort[];
  },
): PodContainer {
  const sockets = config.containers.map(({ name }): VolumeMount => ({
    name: filesName(name),
    mountPath: `${agentPaths.containers}/${name}`,
  }));
  const postStart = listeningHook(config.ports);
  return {
    name: agentContainerName,
    image,
    imagePullPolicy: "IfNotPresent",
    args: ["agent"],
    env: [
      configVariable(config),
      fromField("POD_NAME", "metadata.name"),
      fromField("POD_IPS", "status.podIPs"),
    ],
    ...ports.length > 0 ? { ports: [...ports] } : {},
    volumeMounts: [
      { name: trustVolumeName, mountPath: agentPaths.trust, readOnly: true },
      ...sockets,
      nothing.mount,
    ],
    // The name of an app's port may be the agent's: without it, who believes that the pod is ready would be refused.
    ...postStart === undefined ? {} : { lifecycle: { postStart } },
    securityContext: {
      ...restricted,
      ...{ runAsNonRoot: true, runAsUser: uid, runAsGroup: uid },
    },
    resources,
  };
}

/** Absent where no port is redirected: it alone needs a right that `restricted` and `baseline` deny. */
export function initContainers(
  { image, config }: OwnContainerOptions,
): PodContainer[] {
  return config.ports.some(({ redirect }) => redirect)
    ? [{
      name: initContainerName,
      image,
      imagePullPolicy: "IfNotPresent",
      args: ["agent-init"],
      env: [configVariable(config)],
      volumeMounts: [nothing.mount],
      securityContext: {
        ...restricted,
        capabilities: { drop: ["ALL"], add: ["NET_ADMIN"] },
        // For others than root it would be a right to ask for, not to have.
        ...{ runAsNonRoot: false, runAsUser: 0, runAsGroup: 0 },
      },
      resources,
    }]
    : [];
}

/** A container that runs nothing in an app's place, with its ports and what it has reserved. */
export function pausing(
  container: PodContainer,
  { image }: { image: string },
): PodContainer {
  const changed: PodContainer = { ...container };
  // Of the app's image, and for the app's program.
  for (const field of ["command", "env", "envFrom", "workingDir"]) {
    delete changed[field];
  }
  return {
    ...changed,
    ...{ image, imagePullPolicy: "IfNotPresent", args: ["agent-pause"] },
  };
}

function configVariable(config: AgentConfig): EnvVar {
  return { name: "TP_AGENT", value: unexpanded(JSON.stringify(config)) };
}

/** Kubelet would take `$(NAME)` for a variable, and `$$` for `$`. */
export function unexpanded(text: string): string {
  return text.split("$").join("$$");
}

function fromField(name: string, fieldPath: string): EnvVar {
  return { name, valueFrom: { fieldRef: { fieldPath } } };
}
