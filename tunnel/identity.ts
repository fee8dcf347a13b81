/** A dialer's key: who it is, and the proof (RFC 8032, Ed25519). */

/** A key pair that can sign. The private half never leaves the platform's key store. */
export interface Identity {
  /** 32 bytes. Must not be written to. */
  readonly publicKey: Uint8Array;
  /** {@link thumbprintOf} the public key. */
  readonly thumbprint: string;
  /** The signature over `message`, 64 bytes. */
  sign(message: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
}

/** Makes a fresh key pair. */
export async function createIdentity(): Promise<Identity> {
  const pair = await crypto.subtle.generateKey("Ed25519", false, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  const publicKey = new Uint8Array(
    await crypto.subtle.exportKey("raw", pair.publicKey),
  );
  return {
    publicKey,
    thumbprint: await thumbprintOf(publicKey),
    async sign(message) {
      const { privateKey } = pair;
      return new Uint8Array(
        await crypto.subtle.sign("Ed25519", privateKey, message),
      );
    },
  };
}

/** SHA-256 of a public key as 64 lower-case hexadecimal digits. */
export async function thumbprintOf(
  publicKey: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", publicKey);
  return new Uint8Array(digest).toHex();
}

/** Whether `signature` over `message` was made with the private half of `publicKey`. Never rejects. */
export async function isSignedBy(
  publicKey: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
  message: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  try {
    const key = await crypto.subtle.importKey(
      "raw",
      publicKey,
      "Ed25519",
      false,
      ["verify"],
    );
    return await crypto.subtle.verify("Ed25519", key, signature, message);
  } catch {
    return false;
  }
}
