/** Texts and addresses as C has them. */

/** A text with the zero octet that ends it. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}

/** The text before the zero octet that ends it, which must be there. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}

/** Where octets are. They stay there as long as somebody holds them here. */
export function addressOf(
  bytes: Uint8Array<ArrayBuffer> | BigUint64Array<ArrayBuffer>,
): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
}
