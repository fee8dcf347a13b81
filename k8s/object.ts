/** The fields of Kubernetes objects that this program uses. What is not named here passes through untouched. */

/** What every object has. */
export interface KubernetesObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

export interface ObjectMeta {
  name?: string;
  /** The server completes the name (create only). */
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  /** RFC 3339. */
  creationTimestamp?: string;
  /** Set while the object is being deleted. RFC 3339. */
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
}

/** An object of which only the metadata are used. */
export type Plain = KubernetesObject & Record<string, unknown>;

export interface ListMeta {
  resourceVersion?: string;
  /** More follow: ask again with this token. */
  continue?: string;
}

/** A page of a collection. */
export interface ObjectList<T> {
  metadata: ListMeta;
  items: T[];
}

export interface Namespace extends KubernetesObject {
  status?: { phase?: "Active" | "Terminating" };
}

export interface Node extends KubernetesObject {
  spec?: { podCIDR?: string; podCIDRs?: string[]; unschedulable?: boolean };
  status?: { addresses?: { type: string; address: string }[] };
}

export interface Container {
  name: string;
  image?: string;
  securityContext?: { runAsUser?: number; runAsGroup?: number };
  ports?: ContainerPort[];
  env?: { name: string; value?: string; valueFrom?: unknown }[];
}

export interface ContainerPort {
  name?: string;
  containerPort: number;
  protocol?: "TCP" | "UDP" | "SCTP";
}

export interface Pod extends KubernetesObject {
  spec?: {
    nodeName?: string;
    hostNetwork?: boolean;
    serviceAccountName?: string;
    securityContext?: { runAsUser?: number; runAsGroup?: number };
    containers: Container[];
    initContainers?: Container[];
  };
  status?: {
    phase?: "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown";
    reason?: string;
    message?: string;
    podIP?: string;
    podIPs?: { ip: string }[];
    hostIP?: string;
    conditions?: Condition[];
    containerStatuses?: ContainerStatus[];
    initContainerStatuses?: ContainerStatus[];
  };
}

export interface ContainerStatus {
  name: string;
  ready: boolean;
  restartCount: number;
  /** Of the container as it was started last; empty before the first time. */
  containerID?: string;
  imageID?: string;
  state?: ContainerState;
  lastState?: ContainerState;
  /** Who its first process runs as. Kubernetes 1.31 and later. */
  user?: { linux?: { uid: number; gid: number } };
}

/** Exactly one field is set. */
export interface ContainerState {
  waiting?: { reason?: string; message?: string };
  running?: { startedAt?: string };
  terminated?: { exitCode: number; reason?: string; message?: string };
}

export interface Condition {
  type: string;
  status: "True" | "False" | "Unknown";
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

export interface ServicePort {
  name?: string;
  protocol?: "TCP" | "UDP" | "SCTP";
  port: number;
  targetPort?: number | string;
  nodePort?: number;
}

export interface Service extends KubernetesObject {
  spec?: {
    type?: string;
    /** An address, `None` for a headless service, or empty. */
    clusterIP?: string;
    clusterIPs?: string[];
    ipFamilies?: ("IPv4" | "IPv6")[];
    selector?: Record<string, string>;
    ports?: ServicePort[];
    externalName?: string;
  };
}

export interface EndpointSlice extends KubernetesObject {
  addressType: "IPv4" | "IPv6" | "FQDN";
  endpoints?: {
    addresses: string[];
    conditions?: { ready?: boolean; serving?: boolean; terminating?: boolean };
    targetRef?: { kind?: string; name?: string; namespace?: string };
    nodeName?: string;
  }[];
  ports?: { name?: string; port?: number; protocol?: string }[];
}

export interface ServiceCidr extends KubernetesObject {
  spec?: { cidrs?: string[] };
}

export interface Event extends KubernetesObject {
  involvedObject: { kind?: string; name?: string; namespace?: string };
  type?: "Normal" | "Warning";
  reason?: string;
  message?: string;
  count?: number;
  firstTimestamp?: string | null;
  lastTimestamp?: string | null;
  eventTime?: string | null;
}

/** What Deployments, StatefulSets, DaemonSets and ReplicaSets have in common. */
export interface Workload extends KubernetesObject {
  spec?: {
    replicas?: number;
    selector?: { matchLabels?: Record<string, string> };
    template?: { metadata?: ObjectMeta; spec?: NonNullable<Pod["spec"]> };
  };
  status?: {
    observedGeneration?: number;
    replicas?: number;
    readyReplicas?: number;
    updatedReplicas?: number;
    conditions?: Condition[];
  };
}

export interface ConfigMap extends KubernetesObject {
  data?: Record<string, string>;
}

export interface Secret extends KubernetesObject {
  type?: string;
  /** Base64. */
  data?: Record<string, string>;
}

export interface Lease extends KubernetesObject {
  spec?: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    /** RFC 3339 with microseconds. */
    renewTime?: string;
  };
}

/** What a subject may be asked about. `resource` is the plural; a subresource stands in its own field. */
export interface AccessQuestion {
  verb: string;
  group?: string;
  resource: string;
  subresource?: string;
  namespace?: string;
  name?: string;
}

export interface SelfSubjectAccessReview extends KubernetesObject {
  spec: { resourceAttributes: AccessQuestion };
  status?: { allowed: boolean; denied?: boolean; reason?: string };
}

export interface TokenReview extends KubernetesObject {
  spec: { token: string; audiences?: string[] };
  status?: {
    authenticated?: boolean;
    user?: {
      username?: string;
      uid?: string;
      groups?: string[];
      extra?: Record<string, string[]>;
    };
    audiences?: string[];
    error?: string;
  };
}
