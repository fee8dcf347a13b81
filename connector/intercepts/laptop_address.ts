/** Where the ports are that intercepts lead to: an IP address, or a name that this laptop resolves each time anew. */
import { Ip, RefusedError, unlessAborted } from "../../net/mod.ts";
import { ConnectError } from "../failure.ts";
import { hostAddresses } from "../network/host_addresses.ts";

export interface LaptopAddress {
  /** As people are told it. */
  readonly text: string;
  /**
   * What to dial, in order, as it is at present.
   *
   * @throws {RefusedError} `unreachable` when the name does not resolve, `forbidden` when it leads to the cluster.
   * @throws the reason of the signal.
   */
  resolve(signal: AbortSignal): Promise<readonly [Ip, ...Ip[]]>;
}

export interface LaptopAddressOptions {
  /** {@link hostAddresses} but in tests. */
  lookUp?: typeof hostAddresses | undefined;
  /**
   * Whether this laptop reaches an address by way of the cluster. What is intercepted must not go there: it would come
   * back, without end.
   */
  leadsToCluster?: (ip: Ip) => boolean;
}

/** What leads to the cluster resolves to nothing: {@link RoutedAddressError}. */
export function laptopAddress(
  text: string,
  { lookUp = hostAddresses, leadsToCluster = () => false }:
    LaptopAddressOptions = {},
): LaptopAddress {
  const mustStay = (ips: readonly [Ip, ...Ip[]]) => {
    const routed = ips.find((ip) => leadsToCluster(dialled(ip)));
    if (routed !== undefined) throw new RoutedAddressError(text, routed);
    return ips;
  };
  if (text === "127.0.0.1" || text === "localhost") {
    // What is served on either is meant.
    const both = [Ip.parse("127.0.0.1"), Ip.parse("::1")] as const;
    return { text: "127.0.0.1", resolve: () => Promise.resolve(both) };
  }
  const ip = Ip.tryParse(text);
  if (ip) {
    const resolve = () => Promise.resolve([ip] as const).then(mustStay);
    return { text, resolve };
  }
  return {
    text,
    async resolve(signal) {
      const [first, ...others] = await unlessAborted(lookUp(text), signal);
      if (first) return mustStay([first, ...others]);
      const detail = `This laptop cannot resolve "${text}"`;
      throw new RefusedError("unreachable", detail);
    },
  };
}

class RoutedAddressError extends RefusedError {
  constructor(text: string, ip: Ip) {
    const what = text === String(ip) ? text : `"${text}" is ${ip}, which`;
    super("forbidden", `${what} is reached by way of the cluster`);
  }
}

/** What the kernel dials for an IPv4-mapped IPv6 address is the IPv4 one. */
function dialled(ip: Ip): Ip {
  const { bytes } = ip;
  const isMapped = ip.family === 6 && bytes[10] === 0xff &&
    bytes[11] === 0xff && bytes.subarray(0, 10).every((octet) => octet === 0);
  return isMapped ? Ip.of(bytes.subarray(12)) : ip;
}

/**
 * What is dialled first at present.
 *
 * @throws {ConnectError} `address-unknown`, `address-routed`, or the reason of the signal.
 */
export async function mustResolve(
  address: LaptopAddress,
  signal: AbortSignal,
): Promise<Ip> {
  try {
    const [first] = await address.resolve(signal);
    return first;
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof RoutedAddressError) {
      throw new ConnectError({
        kind: "address-routed",
        cause: `Cannot use address "${address.text}": ${cause.message}, ` +
          "so what is intercepted would come back without end",
      }, { cause });
    }
    throw new ConnectError({
      kind: "address-unknown",
      cause: `Cannot use address "${address.text}": ` +
        "no host of that name is known on this laptop",
    }, { cause });
  }
}
