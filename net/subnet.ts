import { Ip } from "./ip.ts";

/** A range of addresses that share a prefix (CIDR). Immutable. */
export class Subnet {
  /** First address; the bits after the prefix are zero. */
  readonly base: Ip;
  /** Length of the prefix in bits. */
  readonly prefix: number;

  /**
   * The subnet that holds `ip`; bits of `ip` after the prefix are cleared.
   *
   * @throws {RangeError} when the prefix does not fit the family.
   */
  constructor(ip: Ip, prefix: number) {
    if (!Number.isInteger(prefix) || prefix < 0 || prefix > ip.bits) {
      throw new RangeError(`Cannot make a subnet of "${ip}": prefix ${prefix}`);
    }
    const octets = ip.bytes.slice();
    const whole = prefix >> 3;
    if (whole < octets.length) octets[whole]! &= 0xff00 >> (prefix & 7);
    octets.fill(0, whole + 1);
    this.base = Ip.of(octets);
    this.prefix = prefix;
  }

  /**
   * Parses `10.96.0.0/16` or a bare address (a subnet of one).
   *
   * @throws {SyntaxError} when the text is not a subnet.
   */
  static parse(text: string): Subnet {
    const [address, prefix, ...rest] = text.split("/");
    const ip = Ip.tryParse(address!);
    const length = prefix === undefined
      ? ip?.bits
      : /^\d{1,3}$/.test(prefix)
      ? Number(prefix)
      : -1;
    if (
      !ip || length === undefined || length < 0 || length > ip.bits ||
      rest.length > 0
    ) {
      throw new SyntaxError(`Cannot parse subnet "${text}"`);
    }
    return new Subnet(ip, length);
  }

  get family(): 4 | 6 {
    return this.base.family;
  }

  /** The `n`-th address, counted from the base. Wraps at the end of the address space. */
  at(n: bigint | number): Ip {
    return Ip.fromBigInt(this.base.toBigInt() + BigInt(n), this.family);
  }

  contains(ip: Ip): boolean {
    const [own, other] = [this.base.bytes, ip.bytes];
    if (own.length !== other.length) return false;
    const whole = this.prefix >> 3;
    for (let at = 0; at < whole; at++) {
      if (own[at] !== other[at]) return false;
    }
    const rest = this.prefix & 7;
    return rest === 0 || (own[whole]! ^ other[whole]!) >> (8 - rest) === 0;
  }

  /** True when every address of `other` is in this subnet. */
  covers(other: Subnet): boolean {
    return other.prefix >= this.prefix && this.contains(other.base);
  }

  overlaps(other: Subnet): boolean {
    return this.covers(other) || other.covers(this);
  }

  equals(other: Subnet): boolean {
    return this.prefix === other.prefix && this.base.equals(other.base);
  }

  toString(): string {
    return `${this.base}/${this.prefix}`;
  }

  toJSON(): string {
    return this.toString();
  }

  /** Lower and upper half, or nothing for a subnet of one. */
  split(): [Subnet, Subnet] | undefined {
    const { base, prefix } = this;
    if (prefix === base.bits) return undefined;
    const half = 1n << BigInt(base.bits - prefix - 1);
    return [
      new Subnet(base, prefix + 1),
      new Subnet(this.at(half), prefix + 1),
    ];
  }
}

/**
 * The fewest parts of `subnets` that hold exactly their addresses without those of `holes`, sorted.
 * A subnet inside another is dropped; neighbours are not joined.
 */
export function subtractSubnets(
  subnets: readonly Subnet[],
  holes: readonly Subnet[],
): Subnet[] {
  return withoutCovered(subnets).flatMap((one) => withoutHoles(one, holes));
}

/** The fewest subnets that hold exactly the addresses of `subnets`, sorted: neighbours are joined. */
export function joinSubnets(subnets: readonly Subnet[]): Subnet[] {
  const joined: Subnet[] = [];
  for (const subnet of withoutCovered(subnets)) {
    let last = subnet;
    for (let before = joined.at(-1); before; before = joined.at(-1)) {
      const both = joinedHalves(before, last);
      if (both === undefined) break;
      joined.pop();
      last = both;
    }
    joined.push(last);
  }
  return joined;
}

/** Sorted, and each address in one subnet at most. In this order, what covers a subnet stands before it. */
function withoutCovered(subnets: readonly Subnet[]): Subnet[] {
  const kept: Subnet[] = [];
  for (const subnet of subnets.toSorted(compareSubnets)) {
    if (!kept.at(-1)?.covers(subnet)) kept.push(subnet);
  }
  return kept;
}

/** What the two are the halves of, if they are. */
function joinedHalves(lower: Subnet, upper: Subnet): Subnet | undefined {
  if (lower.prefix !== upper.prefix || lower.prefix === 0) return undefined;
  const whole = new Subnet(lower.base, lower.prefix - 1);
  return whole.contains(upper.base) ? whole : undefined;
}

function withoutHoles(subnet: Subnet, holes: readonly Subnet[]): Subnet[] {
  const touching = holes.filter((hole) => hole.overlaps(subnet));
  if (touching.length === 0) return [subnet];
  if (touching.some((hole) => hole.covers(subnet))) return [];
  return subnet.split()!.flatMap((half) => withoutHoles(half, touching));
}

/** Order by family, base, prefix. */
export function compareSubnets(a: Subnet, b: Subnet): number {
  return a.base.compare(b.base) || a.prefix - b.prefix;
}
