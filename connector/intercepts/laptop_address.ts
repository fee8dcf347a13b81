/** Where the ports are that intercepts lead to: an IP address, or a name that this laptop resolves each time anew. */
import { Ip, RefusedError, unlessAborted } from "../../net/mod.ts";
import { ConnectError } from "../failure.ts";
import { hostAddresses } from "../host_addresses.ts";

export interface LaptopAddress {
  /** As people are told it. */
  readonly text: string;
  /**
   * What to dial, in order, as it is at present.
   *
   * @throws {RefusedError} `unreachable` when the name does not resolve.
   * @throws the reason of the signal.
   */
  resolve(signal: AbortSignal): Promise<readonly [Ip, ...Ip[]]>;
}

/** @param lookUp {@link hostAddresses} but in tests. */
export function laptopAddress(
  text: string,
  lookUp = hostAddresses,
): LaptopAddress {
  if (text === "127.0.0.1" || text === "localhost") {
    // What is served on either is meant.
    const both = [Ip.parse("127.0.0.1"), Ip.parse("::1")] as const;
    return { text: "127.0.0.1", resolve: () => Promise.resolve(both) };
  }
  const ip = Ip.tryParse(text);
  if (ip) return { text, resolve: () => Promise.resolve([ip]) };
  return {
    text,
    async resolve(signal) {
      const [first, ...others] = await unlessAborted(lookUp(text), signal);
      if (first) return [first, ...others];
      const detail = `This laptop cannot resolve "${text}"`;
      throw new RefusedError("unreachable", detail);
    },
  };
}

/**
 * What is dialled first at present.
 *
 * @throws {ConnectError} `address-unknown`, or the reason of the signal.
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
    throw new ConnectError({
      kind: "address-unknown",
      cause: `Cannot use address "${address.text}": ` +
        "no host of that name is known on this laptop",
    }, { cause });
  }
}
