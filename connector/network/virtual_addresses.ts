/** Addresses that stand for those of clusters. Pure. */
import { Ip, type Subnet } from "../../net/mod.ts";

/** An address of the cluster that a connection leads to. */
export interface ClusterAddress {
  /** Name of the connection. */
  readonly connection: string;
  readonly ip: Ip;
}

/** A range of virtual addresses, and how much of it stands for something. */
export interface RangeUse {
  readonly range: Subnet;
  readonly used: number;
  readonly size: number;
}

interface Range {
  readonly subnet: Subnet;
  readonly size: number;
  readonly used: Map<number, ClusterAddress>;
}

/**
 * Which virtual address stands for which address of which connection's cluster: one space for all connections, so that
 * equal addresses of two clusters are told apart.
 *
 * What stands for something does so until its connection or its range is taken out. Where there is room, a virtual address
 * ends like the one behind it, which people can read, and which mostly makes it the same in the next connection too.
 */
export class VirtualAddresses {
  #ranges: Range[] = [];
  readonly #byCluster = new Map<string, { range: Range; offset: number }>();

  /** Takes virtual addresses from `range`, too, which overlaps no other. Its first and last address stay unused. */
  addRange(subnet: Subnet): void {
    const size = 2 ** (subnet.base.bits - subnet.prefix);
    this.#ranges.push({ subnet, size, used: new Map() });
  }

  /** What stands in `range` stands for nothing from here on. */
  removeRange(subnet: Subnet): void {
    const [gone] = this.#ranges.filter((one) => one.subnet.equals(subnet));
    if (gone === undefined) return;
    this.#ranges = this.#ranges.filter((one) => one !== gone);
    for (const address of gone.used.values()) {
      this.#byCluster.delete(keyOf(address));
    }
  }

  /** Takes out all of a connection that has ended. */
  release(connection: string): void {
    for (const { used } of this.#ranges) {
      for (const [offset, address] of used) {
        if (address.connection !== connection) continue;
        used.delete(offset);
        this.#byCluster.delete(keyOf(address));
      }
    }
  }

  /** What stands for `address`, always the same; `undefined` when all ranges of its family are full. */
  virtualOf(address: ClusterAddress): Ip | undefined {
    const key = keyOf(address);
    const known = this.#byCluster.get(key);
    if (known) return known.range.subnet.at(known.offset);
    for (const range of this.#ranges) {
      if (range.subnet.family !== address.ip.family) continue;
      const offset = freeOffset(range, address.ip);
      if (offset === undefined) continue;
      range.used.set(offset, address);
      this.#byCluster.set(key, { range, offset });
      return range.subnet.at(offset);
    }
    return undefined;
  }

  /** What `ip` stands for. `"nothing"`: it is in a range, and free. `undefined`: it is an address of no range. */
  behind(ip: Ip): ClusterAddress | "nothing" | undefined {
    const range = this.#ranges.find(({ subnet }) => subnet.contains(ip));
    if (range === undefined) return undefined;
    const offset = ip.toBigInt() - range.subnet.base.toBigInt();
    return range.used.get(Number(offset)) ?? "nothing";
  }

  /** The ranges in the order in which they are used. */
  get ranges(): RangeUse[] {
    return this.#ranges.map(({ subnet: range, size, used }) => ({
      range,
      size: size - 2,
      used: used.size,
    }));
  }
}

/** The first free one from that on which ends like `ip`. */
function freeOffset({ size, used }: Range, ip: Ip): number | undefined {
  if (used.size >= size - 2) return undefined;
  let offset = Number(ip.toBigInt() & BigInt(size - 1));
  while (offset === 0 || offset === size - 1 || used.has(offset)) {
    offset = (offset + 1) % size;
  }
  return offset;
}

function keyOf({ connection, ip }: ClusterAddress): string {
  return `${ip} ${connection}`;
}
