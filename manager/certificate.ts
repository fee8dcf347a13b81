/**
 * Certificates that the manager signs itself (RFC 5280), for names that it alone bears: who connects is told the certificate,
 * or that of its authority, by another way, and takes no other.
 */
import { X509Certificate } from "node:crypto";
import {
  encodeBitString,
  encodeObjectIdentifier,
  encodeOctetString,
  encodeSequence,
  encodeSet,
  encodeTagged,
  encodeTime,
  encodeTrue,
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
  /** Of the server, as in DNS; or that of the authority. */
  name: string;
  notBefore: Date;
  notAfter: Date;
  /** Whether it is an authority's, which signs those of servers. */
  authority?: boolean;
  /** Who signs it; itself when absent. */
  issuer?: Certificate;
}

const oids = {
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  commonName: "2.5.4.3",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
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
  const { name, issuer } = options;
  const keys = await crypto.subtle.generateKey(curve, true, ["sign", "verify"]);
  const content = encodeContent(options, {
    issuerName: issuer === undefined ? name : nameOf(issuer),
    publicKey: await exported("spki", keys.publicKey),
  });
  const signingKey = issuer === undefined
    ? keys.privateKey
    : await importKey(issuer);
  const sign = { name: "ECDSA", hash: "SHA-256" };
  const signature = await crypto.subtle.sign(sign, signingKey, content);
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

/** @throws {Error} when it is no certificate. */
export function validityOf(
  { cert }: Pick<Certificate, "cert">,
): { notBefore: Date; notAfter: Date } {
  const { validFrom, validTo } = new X509Certificate(cert);
  return { notBefore: new Date(validFrom), notAfter: new Date(validTo) };
}

/** Of one that was made here, whose subject is its name and nothing else. */
function nameOf({ cert }: Certificate): string {
  return new X509Certificate(cert).subject.replace(/^CN=/, "");
}

function importKey({ key }: Certificate): Promise<CryptoKey> {
  const der = Uint8Array.fromBase64(key.replace(/-----[^-]+-----/g, ""));
  return crypto.subtle.importKey("pkcs8", der, curve, false, ["sign"]);
}

async function exported(
  format: "spki" | "pkcs8",
  key: CryptoKey,
): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.exportKey(format, key));
}

/** What is signed: TBSCertificate, RFC 5280 section 4.1. */
function encodeContent(
  { name, notBefore, notAfter, authority = false }: CertificateOptions,
  { issuerName, publicKey }: { issuerName: string; publicKey: Uint8Array },
): Uint8Array<ArrayBuffer> {
  const extensions = authority ? authorityExtensions() : serverExtensions(name);
  return encodeSequence(
    explicit(0, encodeUnsigned(new Uint8Array([version3]))),
    encodeUnsigned(crypto.getRandomValues(new Uint8Array(serialBytes))),
    algorithm(),
    distinguishedName(issuerName),
    encodeSequence(encodeTime(notBefore), encodeTime(notAfter)),
    distinguishedName(name),
    publicKey,
    explicit(3, encodeSequence(...extensions)),
  );
}

function distinguishedName(name: string): Uint8Array {
  return encodeSequence(
    encodeSet(encodeSequence(oid("commonName"), encodeUtf8(name))),
  );
}

function serverExtensions(name: string): Uint8Array[] {
  const dnsName = encodeTagged(0x82, new TextEncoder().encode(name));
  // The first bit, and no other: digitalSignature.
  const keyUsage = encodeBitString(new Uint8Array([0x80]), 7);
  return [
    extension("keyUsage", keyUsage),
    extension("subjectAltName", encodeSequence(dnsName)),
    extension("extendedKeyUsage", encodeSequence(oid("serverAuth"))),
  ];
}

/** Must be understood by who trusts it (RFC 5280 sections 4.2.1.3 and 4.2.1.9): it signs servers', no authorities'. */
function authorityExtensions(): Uint8Array[] {
  // The sixth bit: keyCertSign.
  const keyUsage = encodeBitString(new Uint8Array([0x04]), 2);
  const pathLength = encodeUnsigned(new Uint8Array([0]));
  return [
    extension("basicConstraints", encodeSequence(encodeTrue(), pathLength), {
      critical: true,
    }),
    extension("keyUsage", keyUsage, { critical: true }),
  ];
}

function extension(
  id: keyof typeof oids,
  value: Uint8Array,
  { critical = false } = {},
): Uint8Array {
  const octets = encodeOctetString(value);
  return critical
    ? encodeSequence(oid(id), encodeTrue(), octets)
    : encodeSequence(oid(id), octets);
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
