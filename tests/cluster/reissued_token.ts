import { sign } from "node:crypto";
import { keyPath } from "./pki.ts";

/**
 * The token of a service account as the API server of the bed would have issued it so that it expires, or has, that much
 * from now. All else that it claims stays.
 */
export async function reissueToken(
  token: string,
  { expiresInSeconds }: { expiresInSeconds: number },
): Promise<string> {
  const [header = "", payload = ""] = token.split(".");
  const claims = JSON.parse(
    new TextDecoder().decode(
      Uint8Array.fromBase64(payload, { alphabet: "base64url" }),
    ),
  );
  const exp = Math.floor(Date.now() / 1000) + expiresInSeconds;
  const past = exp - 7200;
  const changed = { ...claims, exp, iat: past, nbf: past };
  const bytes = new TextEncoder().encode(JSON.stringify(changed));
  const signed = `${header}.${base64url(bytes)}`;
  const key = await Deno.readTextFile(keyPath("service-accounts"));
  const signature = sign("RSA-SHA256", new TextEncoder().encode(signed), key);
  return `${signed}.${base64url(signature)}`;
}

function base64url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}
