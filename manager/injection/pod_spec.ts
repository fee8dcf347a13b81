/** The fields of a pod that injection reads or changes; what is not named here passes through untouched. */

export interface PodObject {
  metadata?: {
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  spec?: PodSpec;
}

export interface PodSpec {
  containers: PodContainer[];
  initContainers?: PodContainer[];
  volumes?: PodVolume[];
  hostNetwork?: boolean;
  os?: { name: string };
  securityContext?: { runAsUser?: number; runAsGroup?: number };
  [field: string]: unknown;
}

/** A volume has its source under the field of its kind. */
export interface PodVolume {
  name: string;
  [field: string]: unknown;
}

export interface PodContainer {
  name: string;
  image?: string;
  args?: string[];
  ports?: ContainerPort[];
  env?: EnvVar[];
  envFrom?: unknown[];
  volumeMounts?: VolumeMount[];
  securityContext?: {
    runAsUser?: number;
    runAsGroup?: number;
    seLinuxOptions?: unknown;
    [field: string]: unknown;
  };
  livenessProbe?: Handler;
  readinessProbe?: Handler;
  startupProbe?: Handler;
  lifecycle?: { postStart?: Handler; preStop?: Handler };
  /** `Always` makes an init container a sidecar. */
  restartPolicy?: string;
  [field: string]: unknown;
}

export interface ContainerPort {
  name?: string;
  containerPort: number;
  /** TCP when absent. */
  protocol?: string;
  [field: string]: unknown;
}

export interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: {
    resourceFieldRef?: { containerName?: string; [field: string]: unknown };
    [field: string]: unknown;
  };
}

export interface VolumeMount {
  name: string;
  mountPath: string;
  readOnly?: boolean;
  mountPropagation?: string;
  [field: string]: unknown;
}

/** Of a probe or a hook: asks a port, or does something else. */
export interface Handler {
  httpGet?: PortAction;
  tcpSocket?: PortAction;
  grpc?: PortAction;
  [field: string]: unknown;
}

export interface PortAction {
  /** A number, or the name of a port of the same container. */
  port: number | string;
  /** The pod's address when absent. */
  host?: string;
  [field: string]: unknown;
}
