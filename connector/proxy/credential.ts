import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";

/** User and password of a proxy. */
export class Credential {
  constructor(readonly user: string, readonly password: string) {}

  matches(user: string, password: string): boolean {
    const [given, wanted] = [[user, password], [this.user, this.password]]
      .map((both) =>
        createHash("sha256").update(JSON.stringify(both)).digest()
      );
    return timingSafeEqual(given!, wanted!);
  }

  /** @param value Of a header field, e.g. `Basic dXNlcjpwYXNzd29yZA==` (RFC 7617). */
  matchesBasic(value: string | undefined): boolean {
    const encoded = /^basic +([\w+/=]+)$/i.exec(value ?? "")?.[1];
    if (encoded === undefined) return false;
    const text = Buffer.from(encoded, "base64").toString();
    const colon = text.indexOf(":");
    return colon >= 0 &&
      this.matches(text.slice(0, colon), text.slice(colon + 1));
  }
}
