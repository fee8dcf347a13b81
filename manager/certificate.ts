/**
 * Certificates that the manager signs itself (RFC 5280), for a name that it alone bears: who connects is told the
 * certificate by another way, and takes no other.
 */
import {
  encodeBitString,
  encodeObjectIdentifier,
  encodeOctetString,
  encodeSequence,
  encodeSet,
  encodeTagged,
  encodeTime,
  encodeUnsigned,
  encodeUtf8,
} from "./der.ts";

export interface Certificate {
  /** PEM. */
  cert: string;
  /** PEM, PKCS #8. */
  key: string;
}

export interface CertificateOptions {
  /** Of the server, as in DNS. */
  name: string;
  notBefore: Date;
  notAfter: Date;
}

const oids = {
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  commonName: "2.5.4.3",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
} as const;

const curve = { name: "ECDSA", namedCurve: "P-256" } as const;
/** Length of each of a signature's two numbers on that curve. */
const numberBytes = 32;
/** X.509 version 3 is written as 2. */
const version3 = 2;
const serialBytes = 16;

/** Makes a key pair and its certificate. */
export async function makeCertificate(
  options: CertificateOptions,
): Promise<Certificate> {
  const keys = await crypto.subtle.generateKey(curve, true, ["sign", "verify"]);
  const content = encodeContent(
    options,
    await exported("spki", keys.publicKey),
  );
  const sign = { name: "ECDSA", hash: "SHA-256" };
  const signature = await crypto.subtle.sign(sign, keys.privateKey, content);
  const der = encodeSequence(
    content,
    algorithm(),
    encodeBitString(encodeSignature(new Uint8Array(signature))),
  );
  return {
    cert: formatPem("CERTIFICATE", der),
    key: formatPem("PRIVATE KEY", await exported("pkcs8", keys.privateKey)),
  };
}

async function exported(
  format: "spki" | "pkcs8",
  key: CryptoKey,
): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.exportKey(format, key));
}

/** What is signed: TBSCertificate, RFC 5280 section 4.1. */
function encodeContent(
  { name, notBefore, notAfter }: CertificateOptions,
  publicKey: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const distinguishedName = encodeSequence(
    encodeSet(encodeSequence(oid("commonName"), encodeUtf8(name))),
  );
  return encodeSequence(
    explicit(0, encodeUnsigned(new Uint8Array([version3]))),
    encodeUnsigned(crypto.getRandomValues(new Uint8Array(serialBytes))),
    algorithm(),
    distinguishedName,
    encodeSequence(encodeTime(notBefore), encodeTime(notAfter)),
    distinguishedName,
    publicKey,
    explicit(3, encodeSequence(...extensions(name))),
  );
}

function extensions(name: string): Uint8Array[] {
  const dnsName = encodeTagged(0x82, new TextEncoder().encode(name));
  // The first bit, and no other: digitalSignature.
  const keyUsage = encodeBitString(new Uint8Array([0x80]), 7);
  return [
    extension("keyUsage", keyUsage),
    extension("subjectAltName", encodeSequence(dnsName)),
    extension("extendedKeyUsage", encodeSequence(oid("serverAuth"))),
  ];
}

function extension(id: keyof typeof oids, value: Uint8Array): Uint8Array {
  return encodeSequence(oid(id), encodeOctetString(value));
}

function algorithm(): Uint8Array {
  return encodeSequence(oid("ecdsaWithSha256"));
}

function oid(id: keyof typeof oids): Uint8Array {
  return encodeObjectIdentifier(oids[id]);
}

/** A field whose tag is its number in the sequence. */
function explicit(number: number, value: Uint8Array): Uint8Array {
  return encodeTagged(0xa0 | number, value);
}

/** From the two numbers in a row, as Web Cryptography gives them (RFC 3279 section 2.2.3). */
function encodeSignature(numbers: Uint8Array): Uint8Array {
  return encodeSequence(
    encodeUnsigned(numbers.subarray(0, numberBytes)),
    encodeUnsigned(numbers.subarray(numberBytes)),
  );
}

function formatPem(label: string, der: Uint8Array): string {
  const lines = der.toBase64().match(/.{1,64}/g)!.join("\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
