/** What a kubeconfig's user proves itself with: tokens go before passwords, both before a plugin. */
import { execCredential } from "./_exec_plugin.ts";
import { besides, readData } from "./_kubeconfig_data.ts";
import {
  type ClientCertificate,
  type Credential,
  fixedCredential,
  tokenFileCredential,
} from "./credential.ts";
import { broken, type Found, type UserEntry } from "./kubeconfig.ts";

export interface UserCredentialOptions {
  userName: string;
  env: Record<string, string>;
  terminal: boolean;
  clusterInfo: Record<string, unknown>;
}

/** @throws {KubeconfigError} `broken`. */
export async function userCredential(
  user: Found<UserEntry>,
  options: UserCredentialOptions,
): Promise<Credential> {
  const { entry, path } = user;
  const certificate = await certificateOf(user);
  const along = certificate ? { certificate } : {};
  if (entry.tokenFile) {
    return tokenFileCredential(besides(path, entry.tokenFile), certificate);
  }
  if (entry.token) {
    return fixedCredential({
      authorization: `Bearer ${entry.token.trim()}`,
      ...along,
    });
  }
  if (entry.username !== undefined) {
    const pair = `${entry.username}:${entry.password ?? ""}`;
    const basic = new TextEncoder().encode(pair).toBase64();
    return fixedCredential({ authorization: `Basic ${basic}`, ...along });
  }
  if (entry.exec) return pluginCredential(user, options, certificate);
  if (entry["auth-provider"]) {
    const { name = "" } = entry["auth-provider"];
    throw broken(
      path,
      `user "${options.userName}" wants auth-provider "${name}", which Kubernetes has given up for exec plugins`,
    );
  }
  return fixedCredential(along);
}

async function certificateOf(
  user: Found<UserEntry>,
): Promise<ClientCertificate | undefined> {
  const cert = await readData(user, "client-certificate");
  const key = await readData(user, "client-key");
  if (cert === undefined && key === undefined) return undefined;
  if (!cert?.includes("-----BEGIN") || !key?.includes("-----BEGIN")) {
    throw broken(user.path, "client-certificate and client-key are no pair");
  }
  return { cert, key };
}

const execVersions = ["v1", "v1beta1"].map((version) =>
  `client.authentication.k8s.io/${version}`
);

function pluginCredential(
  { entry, path }: Found<UserEntry>,
  { userName, ...options }: UserCredentialOptions,
  certificate: ClientCertificate | undefined,
): Credential {
  const { exec } = entry as { exec: NonNullable<UserEntry["exec"]> };
  if (!exec.command) throw broken(path, `user "${userName}" names no command`);
  if (!execVersions.includes(exec.apiVersion ?? "")) {
    throw broken(
      path,
      `user "${userName}" wants a plugin of ${exec.apiVersion}; known are ${
        execVersions.join(" and ")
      }`,
    );
  }
  const command = /[/\\]/.test(exec.command)
    ? besides(path, exec.command)
    : exec.command;
  return execCredential({ ...exec, command }, {
    ...options,
    ...certificate ? { certificate } : {},
  });
}
