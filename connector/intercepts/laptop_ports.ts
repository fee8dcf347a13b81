import type { Ip } from "../../net/mod.ts";
import { ConnectError } from "../failure.ts";
import { isListening, type LaptopPort } from "./intercept_table.ts";
import type { LaptopAddress } from "./laptop_address.ts";

/** The laptop's ports that intercepts lead to: each to one intercept. */
export class LaptopPorts {
  /** Names of intercepts. */
  readonly #takers = new Map<string, string>();

  /**
   * Dispose of the result to give them back.
   *
   * @throws {ConnectError} `port-in-use`; none is taken then.
   */
  take(
    name: string,
    { ip, ports }: { ip: Ip; ports: readonly LaptopPort[] },
  ): Disposable {
    const keys = ports.map(({ laptop, pod }) =>
      `${ip.family === 6 ? `[${ip}]` : ip}:${laptop} ${pod.protocol}`
    );
    for (const key of keys) {
      const taker = this.#takers.get(key);
      if (taker === undefined) continue;
      throw new ConnectError({
        kind: "port-in-use",
        cause: `Port ${
          key.split(" ")[0]
        } is already in use by intercept ${taker}`,
      });
    }
    for (const key of keys) this.#takers.set(key, name);
    return {
      [Symbol.dispose]: () => {
        for (const key of keys) this.#takers.delete(key);
      },
    };
  }
}

/** Tells of each port to which nobody listens. */
export async function warnOfSilence(
  { address, ports }: {
    address: LaptopAddress;
    ports: readonly LaptopPort[];
  },
  tell: (text: string) => void,
): Promise<void> {
  const { text } = address;
  const host = text.includes(":") ? `[${text}]` : text;
  const served = ports.filter(({ pod }) => pod.protocol === "TCP")
    .map(({ laptop }) => laptop);
  for (const laptop of new Set(served)) {
    if (await isListening(address, laptop)) continue;
    tell(
      `Warning: nothing listens on ${host}:${laptop} of this laptop; ` +
        "until something does, the app in the cluster answers",
    );
  }
}
