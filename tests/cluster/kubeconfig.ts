import { Buffer } from "node:buffer";
import { certificatePath, keyPath } from "./pki.ts";
import { apiServer } from "./settings.ts";

/** How a kubeconfig's user proves who they are. */
export type Credentials =
  | { readonly certificate: string; readonly key: string }
  | { readonly token: string };

export interface KubeconfigContent {
  /** The user's name; the context is called "default". */
  readonly user: string;
  /** As in "https://10.99.0.2:6443". */
  readonly server: string;
  /** The authority's certificate, PEM. */
  readonly authority: string;
  readonly credentials: Credentials;
}

/** The URL of the bed's API server. */
export const serverUrl = `https://${apiServer.ipv4}:${apiServer.port}`;

/** A kubeconfig with one cluster, one user and one context, all data inside. */
export function formatKubeconfig(content: KubeconfigContent): string {
  const { user, server, authority, credentials } = content;
  const proof = "token" in credentials ? { token: credentials.token } : {
    "client-certificate-data": base64(credentials.certificate),
    "client-key-data": base64(credentials.key),
  };
  const context = "default";
  // JSON is YAML, and every client reads it.
  return JSON.stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{
        name: "tp-bed",
        cluster: { server, "certificate-authority-data": base64(authority) },
      }],
      users: [{ name: user, user: proof }],
      contexts: [{ name: context, context: { cluster: "tp-bed", user } }],
      "current-context": context,
    },
    null,
    2,
  ) + "\n";
}

/** Writes the kubeconfig of the holder of a certificate of the bed. */
export async function writeKubeconfig(
  path: string,
  { file, user }: { file: string; user: string },
): Promise<void> {
  const text = formatKubeconfig({
    user,
    server: serverUrl,
    authority: await Deno.readTextFile(certificatePath("ca")),
    credentials: {
      certificate: await Deno.readTextFile(certificatePath(file)),
      key: await Deno.readTextFile(keyPath(file)),
    },
  });
  await Deno.writeTextFile(path, text, { mode: 0o600 });
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
