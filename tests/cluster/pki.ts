import { isIP } from "node:net";
import { atWrongTime } from "./clock.ts";
import { must } from "./command.ts";
import { statePath } from "./paths.ts";
import {
  apiServer,
  apiServerService,
  clusterDomain,
  type NodeSettings,
} from "./settings.ts";

/** What a certificate says about its holder. */
export interface CertificateRequest {
  /** Name of its files. */
  readonly file: string;
  /** CN: the user's name in Kubernetes. */
  readonly name: string;
  /** O: the user's groups. */
  readonly groups?: readonly string[];
  /** DNS names and addresses that it serves. */
  readonly hosts?: readonly string[];
}

/**
 * So old are certificates when they are made, in seconds: a laptop whose clock is slow finds a cluster that has been there
 * for some time, not one of this minute.
 */
const ageSeconds = 3600;

/** Certificates of the control plane, each signed by the cluster's authority. */
export const controlPlaneCertificates: readonly CertificateRequest[] = [
  {
    file: "apiserver",
    name: "kube-apiserver",
    hosts: [
      "kubernetes",
      "kubernetes.default",
      "kubernetes.default.svc",
      `kubernetes.default.svc.${clusterDomain}`,
      "localhost",
      "127.0.0.1",
      apiServerService,
      apiServer.ipv4,
      apiServer.ipv6,
    ],
  },
  {
    file: "kubelet-client",
    name: "kube-apiserver-kubelet-client",
    groups: ["system:masters"],
  },
  { file: "admin", name: "kubernetes-admin", groups: ["system:masters"] },
  {
    file: "controller-manager",
    name: "system:kube-controller-manager",
    groups: ["system:kube-controller-manager"],
  },
  {
    file: "scheduler",
    name: "system:kube-scheduler",
    groups: ["system:kube-scheduler"],
  },
  {
    file: "proxy",
    name: "system:kube-proxy",
    groups: ["system:node-proxier"],
  },
];

/** A node's certificate: client of the API server, and server of the kubelet. */
export function nodeCertificate(node: NodeSettings): CertificateRequest {
  return {
    file: node.name,
    name: `system:node:${node.name}`,
    groups: ["system:nodes"],
    hosts: [node.name, node.ipv4, node.ipv6],
  };
}

export function certificatePath(file: string): string {
  return statePath("pki", `${file}.crt`);
}

export function keyPath(file: string): string {
  return statePath("pki", `${file}.key`);
}

/** Makes both authorities, the service-account key pair and the certificates of the control plane. */
export async function makeAuthority(): Promise<void> {
  await Deno.mkdir(statePath("pki"), { recursive: true, mode: 0o700 });
  await Deno.writeTextFile(
    statePath("pki", "openssl.cnf"),
    "[req]\ndistinguished_name = name\n[name]\n",
  );
  await makeSelfSigned("ca", "kubernetes-ca");
  await makeSelfSigned("front-proxy-ca", "front-proxy-ca");
  const serviceAccounts = keyPath("service-accounts");
  await must(["openssl", "genrsa", "-out", serviceAccounts, "2048"]);
  await must(
    ["openssl", "rsa", "-in", serviceAccounts, "-pubout", "-out"].concat(
      statePath("pki", "service-accounts.pub"),
    ),
  );
  for (const request of controlPlaneCertificates) {
    await makeCertificate(request);
  }
  const frontProxy = { file: "front-proxy", name: "front-proxy-client" };
  await makeCertificate(frontProxy, "front-proxy-ca");
}

/** Makes a key and a certificate for it, good for clients and servers. */
export async function makeCertificate(
  request: CertificateRequest,
  authority = "ca",
): Promise<void> {
  const extensions = [
    "keyUsage=critical,digitalSignature",
    "extendedKeyUsage=serverAuth,clientAuth",
  ];
  if (request.hosts !== undefined) {
    extensions.push(`subjectAltName=${alternativeNames(request.hosts)}`);
  }
  await must(
    (await openssl(request)).concat(
      ["-CA", certificatePath(authority), "-CAkey", keyPath(authority)],
      extensions.flatMap((extension) => ["-addext", extension]),
    ),
  );
}

async function makeSelfSigned(file: string, name: string): Promise<void> {
  const extensions = [
    "basicConstraints=critical,CA:TRUE",
    "keyUsage=critical,digitalSignature,keyCertSign,cRLSign",
    "subjectKeyIdentifier=hash",
  ];
  await must(
    (await openssl({ file, name })).concat(
      extensions.flatMap((extension) => ["-addext", extension]),
    ),
  );
}

async function openssl(request: CertificateRequest): Promise<string[]> {
  const { file, name, groups } = request;
  const config = statePath("pki", "openssl.cnf");
  return (await atWrongTime(-ageSeconds))
    .concat("openssl", "req", "-x509", "-config", config, "-days", "3650")
    .concat("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    .concat("-subj", subject(name, groups))
    .concat("-keyout", keyPath(file), "-out", certificatePath(file));
}

/** A name and its groups as openssl's `-subj` wants them; its separators are escaped. */
export function subject(name: string, groups: readonly string[] = []): string {
  const escaped = (text: string) => text.replace(/[\\/+]/g, "\\$&");
  return groups.map((group) => `/O=${escaped(group)}`).join("") +
    `/CN=${escaped(name)}`;
}

/** Hosts as openssl's `subjectAltName` wants them. */
export function alternativeNames(hosts: readonly string[]): string {
  return hosts.map((host) => `${isIP(host) ? "IP" : "DNS"}:${host}`).join(",");
}
