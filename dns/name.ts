/** The longest name on the wire, the root's octet included (RFC 1035 section 2.3.4). */
const maxNameOctets = 255;
const maxLabelOctets = 63;

/** A domain name given from the root, as a value: parsed once, compared without regard to ASCII case. Immutable. */
export class Fqdn {
  /** From the leftmost to the one below the root; one character per octet, case as given. */
  readonly labels: readonly string[];
  #key: string | undefined;

  private constructor(labels: readonly string[]) {
    this.labels = labels;
  }

  /**
   * Parses `svc.ns`, with or without the final dot. Knows no escapes: a name with odd octets comes from the wire only.
   *
   * @throws {SyntaxError} for an empty label, a label or name that is too long, or characters outside ASCII.
   */
  static parse(text: string): Fqdn {
    const bare = text.endsWith(".") ? text.slice(0, -1) : text;
    const labels = bare === "" ? [] : bare.split(".");
    const fits = labels.every((label) =>
      label.length > 0 && label.length <= maxLabelOctets
    );
    if (
      !fits || !/^\p{ASCII}*$/u.test(bare) || bare.length + 2 > maxNameOctets
    ) {
      throw new SyntaxError(`Cannot parse name "${text}"`);
    }
    return new Fqdn(labels);
  }

  /** As {@link parse}, but `undefined` for what is no name. */
  static tryParse(text: string): Fqdn | undefined {
    try {
      return Fqdn.parse(text);
    } catch {
      return undefined;
    }
  }

  /**
   * Reads the name at `at` of a message and follows compression pointers, which must lead backwards
   * (RFC 1035 section 4.1.4).
   *
   * @returns the name and the offset of what follows it; `undefined` when no name is there.
   */
  static decode(
    message: Uint8Array,
    at: number,
  ): { name: Fqdn; end: number } | undefined {
    const labels: string[] = [];
    let octets = 1;
    let end: number | undefined;
    let before = at;
    for (;;) {
      const length = message[at];
      if (length === undefined) return undefined;
      if (length === 0) {
        // A copy: what has grown keeps room for more, in each of the thousands that may wait.
        return { name: new Fqdn([...labels]), end: end ?? at + 1 };
      }
      if (length >= 0xc0) {
        const low = message[at + 1];
        if (low === undefined) return undefined;
        const target = (length & 0x3f) << 8 | low;
        if (target >= before) return undefined;
        end ??= at + 2;
        at = before = target;
        continue;
      }
      octets += length + 1;
      if (length > maxLabelOctets || octets > maxNameOctets) return undefined;
      if (at + 1 + length > message.length) return undefined;
      const next = at + 1 + length;
      labels.push(textOf(message, at + 1, next));
      at = next;
    }
  }

  /** The name on the wire, without compression. */
  encode(): Uint8Array {
    const bytes = new Uint8Array(this.octets);
    let at = 0;
    for (const label of this.labels) {
      bytes[at++] = label.length;
      for (let i = 0; i < label.length; i++) bytes[at++] = label.charCodeAt(i);
    }
    return bytes;
  }

  /** Length of {@link Fqdn.encode}. */
  get octets(): number {
    let octets = 1;
    for (const label of this.labels) octets += label.length + 1;
    return octets;
  }

  /** The same for all spellings of the same name, so that it can be a key. Not for people. */
  get key(): string {
    return this.#key ??= keyOf(this.labels);
  }

  equals(other: Fqdn): boolean {
    return this.labels.length === other.labels.length && this.isIn(other);
  }

  /** True for `zone` itself and every name below it. */
  isIn(zone: Fqdn): boolean {
    const skip = this.labels.length - zone.labels.length;
    if (skip < 0) return false;
    for (let i = zone.labels.length - 1; i >= 0; i--) {
      if (!isSameLabel(zone.labels[i]!, this.labels[skip + i]!)) return false;
    }
    return true;
  }

  /** This name with `zone` behind it; `undefined` when that is too long for a name. */
  under(zone: Fqdn): Fqdn | undefined {
    const name = new Fqdn([...this.labels, ...zone.labels]);
    return name.octets > maxNameOctets ? undefined : name;
  }

  /** What stands before `zone`, which the name is in. */
  before(zone: Fqdn): Fqdn {
    return new Fqdn(
      this.labels.slice(0, this.labels.length - zone.labels.length),
    );
  }

  /** The name with `label` in the place of its first: another one of the same zone. Not for the root. */
  beside(label: string): Fqdn {
    return new Fqdn([label, ...this.labels.slice(1)]);
  }

  /** The first label as a name of its own. Not for the root. */
  get first(): Fqdn {
    return new Fqdn(this.labels.slice(0, 1));
  }

  /** The label next to the root in lower case; empty for the root itself. */
  get topLabel(): string {
    return lower(this.labels.at(-1) ?? "");
  }

  /** Text with the final dot; dots and octets that do not print are escaped (RFC 1035 section 5.1). */
  toString(): string {
    return this.labels.map((label) => `${escape(label)}.`).join("") || ".";
  }
}

/** The octets of a label; of one array, since a view for each of very many labels is more than the labels are. */
const octets: number[] = [];

/** One character per octet between `from` (included) and `to` (excluded). */
function textOf(message: Uint8Array, from: number, to: number): string {
  octets.length = to - from;
  for (let i = from; i < to; i++) octets[i - from] = message[i]!;
  return String.fromCharCode.apply(undefined, octets);
}

function keyOf(labels: readonly string[]): string {
  let key = "";
  for (const label of labels) {
    key += String.fromCharCode(label.length) + lower(label);
  }
  return key;
}

function isSameLabel(a: string, b: string): boolean {
  return a === b || a.length === b.length && lower(a) === lower(b);
}

/** Only A to Z have two cases in names (RFC 4343). */
function lower(label: string): string {
  return /[A-Z]/.test(label)
    ? label.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
    : label;
}

function escape(label: string): string {
  return label.replace(
    /[^!-~]|[.\\]/g,
    (char) =>
      char === "." || char === "\\"
        ? `\\${char}`
        : `\\${String(char.charCodeAt(0)).padStart(3, "0")}`,
  );
}
