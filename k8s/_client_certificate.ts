/** A user's client certificate, which may be another one tomorrow: what renews it writes its files anew. */
import { besides, readData } from "./_kubeconfig_data.ts";
import { type ClientCertificate, CredentialError, said } from "./credential.ts";
import { broken, type Found, type UserEntry } from "./kubeconfig.ts";

/** Gives the certificate of the time; the same object until it changes. `undefined`: the user has none. */
export type CertificateSource = () => Promise<ClientCertificate | undefined>;

/**
 * The certificate that the kubeconfig holds, or that of the files it names, as they are whenever it is asked for.
 *
 * @throws {KubeconfigError} `broken`. The source itself throws {@link CredentialError}.
 */
export async function certificateSource(
  user: Found<UserEntry>,
): Promise<CertificateSource> {
  let certificate = await readCertificate(user);
  let stamp = await stampOf(user);
  return async () => {
    const present = await stampOf(user);
    if (present === stamp) return certificate;
    try {
      certificate = await readCertificate(user);
    } catch (cause) {
      throw new CredentialError(
        `Cannot get the client certificate: ${said(cause)}`,
        { cause },
      );
    }
    stamp = present;
    return certificate;
  };
}

async function readCertificate(
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

/** Differs when a file was written, or another put in its place. */
async function stampOf({ entry, path }: Found<UserEntry>): Promise<string> {
  const files = [entry["client-certificate"], entry["client-key"]];
  const stamps = files.map(async (file) => {
    if (!file) return "";
    try {
      const { ino, mtime, size } = await Deno.stat(besides(path, file));
      return `${ino} ${mtime?.getTime()} ${size}`;
    } catch {
      return "absent";
    }
  });
  return (await Promise.all(stamps)).join();
}
