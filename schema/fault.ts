/** Something in a file that is not as it must be. */
export interface Fault {
  /** As one would write it in JavaScript: `attachments[1].ports[0]`; empty: the file as a whole. */
  readonly place: string;
  /** What it is, and what is to be done. */
  readonly text: string;
}

/** A place below `place`. */
export function placeBelow(place: string, key: string | number): string {
  if (typeof key === "number") return `${place}[${key}]`;
  if (!/^[A-Za-z_]\w*$/.test(key)) return `${place}[${JSON.stringify(key)}]`;
  return place === "" ? key : `${place}.${key}`;
}
