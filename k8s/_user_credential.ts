/**
 * What a kubeconfig's user proves itself with.
 *
 * 1. Tokens go before passwords, both before a plugin; a client certificate goes along with each.
 * 2. What may change is looked at for each proof: files of tokens and certificates, the plugin's expiry.
 * 3. What the API server refuses, and no file or plugin renews, may have been replaced in the kubeconfig itself: it is
 *    read again.
 */
import { certificateSource } from "./_client_certificate.ts";
import { execCredential } from "./_exec_plugin.ts";
import { besides } from "./_kubeconfig_data.ts";
import {
  type Credential,
  fixedCredential,
  type Proof,
  tokenFileCredential,
} from "./credential.ts";
import { broken, type Found, type UserEntry } from "./kubeconfig.ts";

/** The kubeconfig is read again no sooner than so long after the time before, in ms. */
const rereadMs = 1_000;

export interface UserCredentialOptions {
  userName: string;
  env: Record<string, string>;
  terminal: boolean;
  clusterInfo: Record<string, unknown>;
  /** The same user, as the kubeconfig has it at the time. */
  reread: () => Promise<Found<UserEntry>>;
  /** Milliseconds of a clock that never goes back. */
  now?: () => number;
}

/** @throws {KubeconfigError} `broken`. */
export async function userCredential(
  user: Found<UserEntry>,
  options: UserCredentialOptions,
): Promise<Credential> {
  const { now = () => performance.now() } = options;
  let source = await sourceOf(user, options);
  let held: Held | undefined;
  let isStale = false;
  let readAt = now();

  /** Turns to what the kubeconfig holds by now, if that is something else. */
  async function reread(): Promise<void> {
    isStale = false;
    readAt = now();
    try {
      const next = await options.reread();
      if (JSON.stringify(next) === JSON.stringify(user)) return;
      source = await sourceOf(next, options);
      user = next;
    } catch {
      // Somebody may be writing it: what was read before counts.
    }
  }

  return {
    async present(presentOptions) {
      if (isStale) await reread();
      const own = await source.credential.present(presentOptions);
      const certificate = own.certificate ?? await source.certificate();
      if (held?.own !== own || held.proof.certificate !== certificate) {
        const proof = { ...own, ...certificate ? { certificate } : {} };
        held = { own, proof };
      }
      return held.proof;
    },
    renew(refused) {
      if (refused !== held?.proof) return true;
      if (source.credential.renew(held.own)) return true;
      isStale = now() - readAt >= rereadMs;
      return isStale;
    },
  };
}

/** The proof that was given last, and what of it is not the certificate. */
interface Held {
  own: Proof;
  proof: Proof;
}

async function sourceOf(
  user: Found<UserEntry>,
  options: UserCredentialOptions,
) {
  const certificate = await certificateSource(user);
  return { credential: credentialOf(user, options), certificate };
}

function credentialOf(
  user: Found<UserEntry>,
  options: UserCredentialOptions,
): Credential {
  const { entry, path } = user;
  if (entry.tokenFile) {
    return tokenFileCredential(besides(path, entry.tokenFile));
  }
  if (entry.token) {
    return fixedCredential({ authorization: `Bearer ${entry.token.trim()}` });
  }
  if (entry.username !== undefined) {
    const pair = `${entry.username}:${entry.password ?? ""}`;
    const basic = new TextEncoder().encode(pair).toBase64();
    return fixedCredential({ authorization: `Basic ${basic}` });
  }
  if (entry.exec) return pluginCredential(user, options);
  if (entry["auth-provider"]) {
    const { name = "" } = entry["auth-provider"];
    throw broken(
      path,
      `user "${options.userName}" wants auth-provider "${name}", which Kubernetes has given up for exec plugins`,
    );
  }
  return fixedCredential({});
}

const execVersions = ["v1", "v1beta1"].map((version) =>
  `client.authentication.k8s.io/${version}`
);

function pluginCredential(
  { entry, path }: Found<UserEntry>,
  { userName, env, terminal, clusterInfo }: UserCredentialOptions,
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
  return execCredential({ ...exec, command }, { env, terminal, clusterInfo });
}
