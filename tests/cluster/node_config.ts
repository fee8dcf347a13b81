import { join } from "node:path";
import { certificatePath, keyPath } from "./pki.ts";
import { privateCopies } from "./mounts.ts";
import { statePath } from "./paths.ts";
import {
  clusterDns,
  clusterDomain,
  congestionControl,
  type NodeSettings,
  ranges,
} from "./settings.ts";

/** The image of the container that holds a pod's namespaces. */
export const pauseImage = "docker.io/local/pause:1";

/** A path below a node's own directory. */
export function nodePath(node: NodeSettings, ...parts: string[]): string {
  return statePath(node.name, ...parts);
}

/** The socket of a node's containerd. */
export function containerdSocket(node: NodeSettings): string {
  return nodePath(node, "containerd.sock");
}

/**
 * containerd's configuration (version 2, read by 1.6 to 2.x).
 *
 * A root without CAP_SYS_RESOURCE cannot lower oom_score_adj, hence `restrict_oom_score_adj`; network namespaces of
 * pods stay below the state directory.
 */
export function containerdConfig(node: NodeSettings, cniBinDir: string) {
  const text = (value: string) => JSON.stringify(value);
  return `version = 2
root = ${text(nodePath(node, "containerd"))}
state = ${text(nodePath(node, "containerd-run"))}
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.internal.v1.tracing",
]
[grpc]
  address = ${text(containerdSocket(node))}
[plugins."io.containerd.internal.v1.opt"]
  path = ${text(nodePath(node, "opt"))}
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${text(pauseImage)}
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = ${text(cniBinDir)}
  conf_dir = ${text(nodePath(node, "cni"))}
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false
`;
}

/** The network of a node's pods: a bridge, addresses of both families; addresses are rewritten by the node's own rules. */
export function cniConfig(node: NodeSettings) {
  return {
    cniVersion: "1.0.0",
    name: "bed",
    plugins: [
      {
        type: "bridge",
        bridge: "cni0",
        isGateway: true,
        ipMasq: false,
        hairpinMode: true,
        ipam: {
          type: "host-local",
          dataDir: nodePath(node, "cni-addresses"),
          ranges: [[{ subnet: node.pods.ipv4 }], [{ subnet: node.pods.ipv6 }]],
          routes: [{ dst: "0.0.0.0/0" }, { dst: "::/0" }],
        },
      },
      { type: "portmap", capabilities: { portMappings: true } },
      {
        type: "tuning",
        sysctl: Object.fromEntries([congestionControl.split("=")]),
      },
    ],
  };
}

/**
 * The kubelet's configuration. It accepts cgroup v1 machines, and never evicts for want of disk or collects images:
 * there is no registry to bring them back from.
 */
export function kubeletConfig(node: NodeSettings) {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: certificatePath("ca") },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: certificatePath(node.name),
    tlsPrivateKeyFile: keyPath(node.name),
    containerRuntimeEndpoint: `unix://${containerdSocket(node)}`,
    cgroupDriver: "cgroupfs",
    cgroupRoot: node.cgroup,
    failCgroupV1: false,
    failSwapOn: false,
    clusterDNS: [clusterDns],
    clusterDomain,
    resolvConf: nodePath(node, "resolv.conf"),
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    evictionHard: {
      "memory.available": "100Mi",
      "nodefs.available": "0%",
      "nodefs.inodesFree": "0%",
      "imagefs.available": "0%",
    },
    podLogsDir: nodePath(node, "pod-logs"),
    volumePluginDir: nodePath(node, "volume-plugins"),
  };
}

export function kubeletFlags(node: NodeSettings): string[] {
  return [
    `--config=${nodePath(node, "kubelet.json")}`,
    `--kubeconfig=${nodePath(node, "kubelet.kubeconfig")}`,
    `--hostname-override=${node.name}`,
    `--node-ip=${node.ipv4},${node.ipv6}`,
    `--root-dir=${nodePath(node, "kubelet")}`,
    `--cert-dir=${nodePath(node, "kubelet-pki")}`,
  ];
}

/** kube-proxy's flags; with the default sync period of 1 s a Service would answer a second late. */
export function proxyFlags(node: NodeSettings): string[] {
  return [
    `--kubeconfig=${statePath("proxy.kubeconfig")}`,
    `--hostname-override=${node.name}`,
    `--cluster-cidr=${ranges.pods.ipv4},${ranges.pods.ipv6}`,
    "--proxy-mode=iptables",
    "--conntrack-max-per-core=0",
    "--metrics-bind-address=127.0.0.1:10249",
    "--iptables-min-sync-period=50ms",
  ];
}

/**
 * What is different in a node's own mount namespace, as a shell script: what the kubelet and the network plugins write
 * below /var and /run ends with the node. Mounts travel between the node and its pods, as Bidirectional volumes want.
 */
export function mountScript(): string {
  return `${privateCopies(["/var/lib", "/var/log"])}\nmount --make-rshared /`;
}

/** Directories that a node expects. */
export function nodeDirectories(node: NodeSettings): string[] {
  return ["cni", "opt", "kubelet", "kubelet-pki", "pod-logs"]
    .concat("volume-plugins").map((name) => join(nodePath(node), name));
}
