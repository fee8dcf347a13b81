/** Where distributions keep the authorities that they trust, in the order in which Go's crypto/x509 looks. */
const files = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/**
 * PEM certificates of the authorities that this system trusts; `SSL_CERT_FILE` goes before. `undefined` when none of
 * the usual files is there: the runtime's own list counts then.
 */
export async function systemAuthorities(): Promise<string | undefined> {
  for (const path of [Deno.env.get("SSL_CERT_FILE") ?? "", ...files]) {
    const text = path && await Deno.readTextFile(path).catch(() => "");
    if (text) return text;
  }
  return undefined;
}
