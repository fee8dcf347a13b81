/** What proves to the API server who asks. */
export interface Proof {
  /** Value of the Authorization header. */
  authorization?: string;
  certificate?: ClientCertificate;
}

/** PEM texts. */
export interface ClientCertificate {
  cert: string;
  key: string;
}

/** Where proofs come from. */
export interface Credential {
  /**
   * The proof for a request; the same object until it changes.
   *
   * @throws {CredentialError}
   */
  present(options?: { signal?: AbortSignal }): Promise<Proof>;

  /** The API server did not take `refused`. Tells whether {@link Credential.present} may give another one. */
  renew(refused: Proof): boolean;
}

/** No proof can be had: a plugin failed, a file is gone. */
export class CredentialError extends Error {
  override readonly name = "CredentialError";
}

/** A proof that never changes. */
export function fixedCredential(proof: Proof): Credential {
  return { present: () => Promise.resolve(proof), renew: () => false };
}

/** How long a token file's content is used before it is read again, in ms: the kubelet rotates such files. */
const tokenFileMs = 10_000;

/** The token that is in the file at the time. */
export function tokenFileCredential(path: string): Credential {
  let proof: Proof | undefined;
  let readAt = 0;
  return {
    async present() {
      if (proof && performance.now() - readAt < tokenFileMs) return proof;
      const authorization = `Bearer ${await readToken(path)}`;
      readAt = performance.now();
      if (authorization !== proof?.authorization) {
        proof = { authorization };
      }
      return proof;
    },
    renew(refused) {
      if (refused !== proof) return true;
      const fresh = performance.now() - readAt < 1_000;
      readAt = -tokenFileMs;
      return !fresh;
    },
  };
}

async function readToken(path: string): Promise<string> {
  try {
    return (await Deno.readTextFile(path)).trim();
  } catch (cause) {
    throw new CredentialError(
      `Cannot read token file "${path}": ${said(cause)}`,
      { cause },
    );
  }
}

/** The first line of what an error says. */
export function said(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n")[0]!;
}
