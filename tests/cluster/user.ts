import { join } from "node:path";
import type { Cluster } from "./cluster.ts";
import { must } from "./command.ts";
import { formatKubeconfig } from "./kubeconfig.ts";
import { mustKubectl } from "./kubectl.ts";
import { subject } from "./pki.ts";
import { waitFor } from "./wait.ts";

/** Someone else than the administrator. */
export type TestUser =
  /** A person with a client certificate. */
  | { readonly name: string; readonly groups?: readonly string[] }
  /** A service account, which must exist, with a token. */
  | { readonly serviceAccount: string; readonly namespace: string };

/**
 * A kubeconfig for another identity; what it may do is for RBAC to say.
 *
 * @returns its text, with all data inside
 * @throws {Error} if the cluster signs no client certificates, or there is no such service account
 */
export async function makeUser(
  cluster: Cluster,
  user: TestUser,
): Promise<string> {
  const view = JSON.parse(
    await mustKubectl(
      cluster.kubectl,
      ["config", "view", "--raw", "--flatten", "--minify", "-o", "json"],
    ),
  );
  const { server, "certificate-authority-data": authority = "" } =
    view.clusters[0].cluster;
  return formatKubeconfig({
    user: "name" in user ? user.name : user.serviceAccount,
    server,
    authority: atob(authority),
    credentials: "name" in user
      ? await signCertificate(cluster, user)
      : { token: await makeToken(cluster, user) },
  });
}

async function makeToken(
  cluster: Cluster,
  user: { serviceAccount: string; namespace: string },
): Promise<string> {
  const create = ["-n", user.namespace, "create", "token", user.serviceAccount];
  return (await mustKubectl(cluster.kubectl, create)).trim();
}

/** Asks the cluster's own authority, as a person would. */
async function signCertificate(
  cluster: Cluster,
  { name, groups }: { name: string; groups?: readonly string[] },
): Promise<{ certificate: string; key: string }> {
  const scratch = await Deno.makeTempDir({ prefix: "tp-user-" });
  const request = `test-${crypto.randomUUID()}`;
  try {
    const keyPath = join(scratch, "key");
    const configPath = join(scratch, "openssl.cnf");
    await Deno.writeTextFile(
      configPath,
      "[req]\ndistinguished_name = name\n[name]\n",
    );
    const pem = await must(
      ["openssl", "req", "-new", "-config", configPath, "-nodes"]
        .concat("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
        .concat("-subj", subject(name, groups), "-keyout", keyPath),
    );
    await cluster.apply(JSON.stringify({
      apiVersion: "certificates.k8s.io/v1",
      kind: "CertificateSigningRequest",
      metadata: { name: request },
      spec: {
        request: btoa(pem),
        signerName: "kubernetes.io/kube-apiserver-client",
        usages: ["client auth"],
      },
    }));
    const approve = ["certificate", "approve", request];
    await mustKubectl(cluster.kubectl, approve);
    return {
      certificate: await issued(cluster, request),
      key: await Deno.readTextFile(keyPath),
    };
  } finally {
    await cluster.kubectl(["delete", "csr", request, "--ignore-not-found"]);
    await Deno.remove(scratch, { recursive: true });
  }
}

async function issued(cluster: Cluster, request: string): Promise<string> {
  let certificate = "";
  const get = ["get", "csr", request, "-o", "jsonpath={.status.certificate}"];
  await waitFor(`certificate for ${request}`, async () => {
    certificate = atob(await mustKubectl(cluster.kubectl, get));
    return certificate !== "" || "the cluster has not signed it";
  }, { timeoutMs: 20_000 });
  return certificate;
}
