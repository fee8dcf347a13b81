import {
  type DirectEndpoint,
  formatDirectEndpoint,
  parseDirectEndpoint,
} from "./direct_endpoint.ts";

/** What who has a session is told, so that its carriers can join directly. */
export interface DirectOffer {
  readonly endpoint: DirectEndpoint;
  /** The name that the manager bears there. No public authority certifies such a one. */
  readonly name: string;
  /** The only certificate to be taken there, PEM. */
  readonly certificate: string;
}

/** Much more than a certificate has. */
const maxCertificateLength = 16 * 1024;

/** Writes an offer as one line of JSON, without its end. */
export function formatDirectOffer(
  { endpoint, name, certificate }: DirectOffer,
): string {
  return JSON.stringify({
    endpoint: formatDirectEndpoint(endpoint),
    ...{ name, certificate },
  });
}

/**
 * Reads a line of {@link formatDirectOffer}. Fields that this release does not know are passed over.
 *
 * @throws {SyntaxError} when the line is no offer.
 */
export function parseDirectOffer(line: string): DirectOffer {
  const { endpoint, name, certificate } = JSON.parse(line) ?? {};
  const isOffer = typeof endpoint === "string" && typeof name === "string" &&
    /^[a-z0-9.-]{1,253}$/.test(name) && typeof certificate === "string" &&
    certificate.length <= maxCertificateLength;
  if (!isOffer) {
    throw new SyntaxError("Cannot parse offer: a field is missing or broken");
  }
  return { endpoint: parseDirectEndpoint(endpoint), name, certificate };
}
