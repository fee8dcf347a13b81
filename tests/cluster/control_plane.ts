import { join } from "node:path";
import { certificatePath, keyPath } from "./pki.ts";
import { statePath } from "./paths.ts";
import type { BackgroundProcess } from "./process.ts";
import { inNetns } from "./netns.ts";
import { apiServer, clusterDomain, nodeSettings, ranges } from "./settings.ts";

const etcdUrl = "http://127.0.0.1:2379";
const serviceRange = `${ranges.services.ipv4},${ranges.services.ipv6}`;

export function etcdFlags(): string[] {
  return [
    `--data-dir=${statePath("etcd")}`,
    `--listen-client-urls=${etcdUrl}`,
    `--advertise-client-urls=${etcdUrl}`,
    "--listen-peer-urls=http://127.0.0.1:2380",
    "--unsafe-no-fsync",
  ];
}

export function apiServerFlags(): string[] {
  return [
    `--etcd-servers=${etcdUrl}`,
    `--advertise-address=${apiServer.ipv4}`,
    "--bind-address=::",
    `--secure-port=${apiServer.port}`,
    `--client-ca-file=${certificatePath("ca")}`,
    `--tls-cert-file=${certificatePath("apiserver")}`,
    `--tls-private-key-file=${keyPath("apiserver")}`,
    `--kubelet-client-certificate=${certificatePath("kubelet-client")}`,
    `--kubelet-client-key=${keyPath("kubelet-client")}`,
    `--kubelet-certificate-authority=${certificatePath("ca")}`,
    "--kubelet-preferred-address-types=InternalIP",
    `--service-account-key-file=${statePath("pki", "service-accounts.pub")}`,
    `--service-account-signing-key-file=${keyPath("service-accounts")}`,
    `--service-account-issuer=https://kubernetes.default.svc.${clusterDomain}`,
    `--service-cluster-ip-range=${serviceRange}`,
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    "--allow-privileged=true",
    `--requestheader-client-ca-file=${certificatePath("front-proxy-ca")}`,
    "--requestheader-allowed-names=front-proxy-client",
    "--requestheader-username-headers=X-Remote-User",
    "--requestheader-group-headers=X-Remote-Group",
    "--requestheader-extra-headers-prefix=X-Remote-Extra-",
    `--proxy-client-cert-file=${certificatePath("front-proxy")}`,
    `--proxy-client-key-file=${keyPath("front-proxy")}`,
  ];
}

/** At its default of 20 requests a second the controller manager spends the first 5 s on its own service accounts. */
export function controllerManagerFlags(): string[] {
  return [
    `--kubeconfig=${statePath("controller-manager.kubeconfig")}`,
    `--cluster-cidr=${ranges.pods.ipv4},${ranges.pods.ipv6}`,
    "--allocate-node-cidrs=true",
    "--node-cidr-mask-size-ipv4=24",
    "--node-cidr-mask-size-ipv6=64",
    `--service-cluster-ip-range=${serviceRange}`,
    `--root-ca-file=${certificatePath("ca")}`,
    `--service-account-private-key-file=${keyPath("service-accounts")}`,
    "--use-service-account-credentials=true",
    `--cluster-signing-cert-file=${certificatePath("ca")}`,
    `--cluster-signing-key-file=${keyPath("ca")}`,
    "--leader-elect=false",
    "--bind-address=127.0.0.1",
    "--kube-api-qps=500",
    "--kube-api-burst=1000",
  ];
}

export function schedulerFlags(): string[] {
  return [
    `--kubeconfig=${statePath("scheduler.kubeconfig")}`,
    "--leader-elect=false",
    "--bind-address=127.0.0.1",
  ];
}

/** Where the programs are. */
export interface Programs {
  /** Kubernetes' commands. */
  readonly bin: string;
  /** The unpacked Debian packages. */
  readonly debian: string;
  /** What the Go compiler made. */
  readonly compiled: string;
}

/** The processes that must be up before the API server answers. */
export function storeProcesses(programs: Programs): BackgroundProcess[] {
  return [
    inFirstNode("etcd", join(programs.debian, "usr/bin/etcd"), etcdFlags()),
    inFirstNode(
      "kube-apiserver",
      join(programs.bin, "kube-apiserver"),
      apiServerFlags(),
    ),
  ];
}

/** The processes that need the API server. */
export function controllerProcesses(programs: Programs): BackgroundProcess[] {
  return [
    inFirstNode(
      "kube-controller-manager",
      join(programs.bin, "kube-controller-manager"),
      controllerManagerFlags(),
    ),
    inFirstNode(
      "kube-scheduler",
      join(programs.bin, "kube-scheduler"),
      schedulerFlags(),
    ),
  ];
}

/** All process names of the control plane, in the order in which they are stopped. */
export const controlPlaneNames = [
  "kube-scheduler",
  "kube-controller-manager",
  "kube-apiserver",
  "etcd",
] as const;

function inFirstNode(
  name: string,
  path: string,
  flags: string[],
): BackgroundProcess {
  return { name, argv: inNetns(nodeSettings(1).netns, [path, ...flags]) };
}
